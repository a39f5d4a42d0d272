"""`trainbell datarobot …`, through the API of a running Trainbell, at the simulator (R9 to R12)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.open_secrets import allow
from trainbell.cli import app as command_line
from trainbell.client import Trainbell
from trainbell.embedded.instance import EmbeddedInstance
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.records import OWNER
from trainbell.simulators.datarobot.service import API_KEY
from trainbell.simulators.datarobot.world import MODEL
from trainbell.simulators.server import running

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedInstance, str]]:
    """A Trainbell that knows one account at DataRobot and one elsewhere; the account's URL."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "key").write_text(API_KEY)
    simulator = DataRobotSimulator(SimulatorClock(speed=0))
    with (
        running(simulator) as root,
        EmbeddedInstance(folder / "data", port=0) as instance,
        Trainbell(instance.url, token=instance.token) as client,
    ):
        base_url = root + simulator.base_path
        secret = f"file:{folder / 'key'}"
        connection = {"provider": "datarobot", "base_url": base_url, "secret": secret}
        allow(folder / "data", connection)
        client.put("connections", "dr", connection)
        (folder / "other").write_text(API_KEY)
        elsewhere = f"file:{folder / 'other'}"
        client.put("connections", "va", {"provider": "deepva", "secret": elsewhere})
        yield instance, base_url


@pytest.fixture
def run(
    served: tuple[EmbeddedInstance, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs a command; gives its status, output and errors."""
    monkeypatch.setenv("TRAINBELL_URL", served[0].url)
    monkeypatch.setenv("TRAINBELL_TOKEN", served[0].token)
    monkeypatch.setenv("TRAINBELL_DATA_DIR", str(tmp_path / "here"))

    def run(*words: str, group: str = "datarobot") -> tuple[int, str, str]:
        status = command_line.exit_status([group, *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model" / "lib").mkdir(parents=True)
    (tmp_path / "model" / "custom.py").write_text("print(1)\n")
    (tmp_path / "model" / "lib" / "data.bin").write_bytes(bytes(range(256)) * 4 + b"\r\n--\r\n")
    return tmp_path / "model"


@pytest.mark.feature("R9", does="ask delete")
def test_R9_models_by_command(run: Run) -> None:
    status, out, _ = run("models", "create", "Fraud", "-f", "targetName=y", "--json")
    assert status == 0
    made = json.loads(out)
    assert run("models", "update", made["id"], "-f", "description=better")[0] == 0
    assert "better" in run("models", "show", made["id"])[1]
    listed = json.loads(run("models", "list", "--search", "fraud", "--json")[1])
    assert [each["id"] for each in listed["items"]] == [made["id"]]
    assert "Fraud (copy)" in run("models", "copy", made["id"])[1]
    assert run("models", "delete", made["id"], "--connection", "dr")[0] == 0
    status, _, err = run("models", "show", made["id"])
    assert (status, "404 Not Found" in err) == (8, True)


@pytest.mark.feature("R11", does="ask")
def test_R11_a_list_of_many_pages_is_read_to_its_end(run: Run) -> None:
    for number in range(103):
        status, _, err = run("models", "create", f"Many {number}", "--type", "training")
        assert status == 0, err
    listed = json.loads(run("models", "list", "--search", "many", "--json")[1])
    assert len({each["id"] for each in listed["items"]}) == 103


@pytest.mark.feature("R10", does="ask")
def test_R10_versions_by_command(run: Run, folder: Path, tmp_path: Path) -> None:
    status, out, _ = run("versions", "create", MODEL, "--folder", str(folder), "--json")
    assert status == 0
    made = json.loads(out)
    to = tmp_path / "out.zip"
    assert run("versions", "download", MODEL, made["id"], "--to", str(to))[0] == 0
    with zipfile.ZipFile(to) as files:
        assert files.read("lib/data.bin") == (folder / "lib" / "data.bin").read_bytes()
    assert run("versions", "download", MODEL, "nope", "--to", str(tmp_path / "no.zip"))[0] == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "out.zip"]
    latest = ["versions", "create", MODEL, "--from-latest", "--file", str(folder / "custom.py")]
    assert run(*latest, "--without", made["items"][1]["id"])[0] == 0
    assert run("versions", "create", MODEL, "--without", "x")[0] == 2
    assert run("versions", "update", MODEL, made["id"], "-f", "description=x")[0] == 0
    assert "1.2" in run("versions", "list", MODEL)[1]


def test_R10_two_files_of_one_name_are_refused_or_told_apart(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.py").write_text(f"# {name}\n")
    one, other = str(tmp_path / "a" / "x.py"), str(tmp_path / "b" / "x.py")
    create = ["versions", "create", MODEL, "--json"]
    before = json.loads(run("versions", "list", MODEL, "--json")[1])["items"]
    status, _, err = run(*create, "--file", one, "--file", other)
    assert status == 2
    assert f"x.py is both {one} and {other}: say LOCAL=PATH for each" in err
    assert run(*create, "--folder", str(tmp_path / "a"), "--file", other)[0] == 2
    assert json.loads(run("versions", "list", MODEL, "--json")[1])["items"] == before
    status, out, _ = run(*create, "--file", one, "--file", f"{other}=lib/x.py")
    assert status == 0
    assert {each["filePath"] for each in json.loads(out)["items"]} == {"x.py", "lib/x.py"}
    for wrong in (f"{one}=", str(tmp_path / "c.py"), f"{tmp_path / 'c.py'}=d.py"):
        assert run(*create, "--file", wrong)[0] == 2


def test_R10_a_file_whose_name_has_an_equals_sign_is_taken_as_it_is(
    run: Run, tmp_path: Path
) -> None:
    odd = tmp_path / "a=b.py"
    odd.write_text("x")
    out = run("versions", "create", MODEL, "--json", "--file", str(odd))[1]
    assert [each["filePath"] for each in json.loads(out)["items"]] == ["a=b.py"]
    out = run("versions", "create", MODEL, "--json", "--file", f"{odd}=c.py")[1]
    assert [each["filePath"] for each in json.loads(out)["items"]] == ["c.py"]


def test_R10_files_too_large_for_the_api_go_directly(
    run: Run,
    served: tuple[EmbeddedInstance, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From a machine whose owner lets the secret go there; its Trainbell is elsewhere."""
    monkeypatch.setenv("TRAINBELL_DATA_DIR", str(tmp_path / "mine"))
    large = tmp_path / "weights.bin"
    large.write_bytes(Random(7).randbytes(4_000_000))
    create = ["versions", "create", MODEL, "--json", "--file", str(large)]
    status, _, err = run(*create)
    assert (status, "the API takes 750,000: send them with --direct" in err) == (2, True)
    # The server says where the connection leads; who sends a secret of this machine decides here.
    status, _, err = run(*create, "--direct")
    assert (status, "is not allowed to go to" in err) == (2, True)
    assert run(*err[err.index("secrets allow") :].split()[1:], group="secrets")[0] == 0
    status, out, _ = run(*create, "--direct")
    assert status == 0
    made = json.loads(out)["id"]
    to = tmp_path / "out.zip"
    status, _, err = run("versions", "download", MODEL, made, "--to", str(to))
    assert (status, "download them with --direct" in err) == (8, True)
    assert not to.exists()
    assert run("versions", "download", MODEL, made, "--to", str(to), "--direct")[0] == 0
    with zipfile.ZipFile(to) as files:
        assert files.getinfo("weights.bin").file_size == 4_000_000
    assert run(*create, "--direct", "-f", "replicas=99")[0] == 2


@pytest.mark.feature("R10", does="ask")
def test_R10_large_files_go_by_the_hand_of_the_trainbell_of_this_machine(
    run: Run,
    served: tuple[EmbeddedInstance, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beyond every bound of the API, and nothing is left lying about."""
    data_dir = served[0].data_dir
    monkeypatch.setenv("TRAINBELL_DATA_DIR", str(data_dir))
    weights = tmp_path / "weights.bin"
    weights.write_bytes(Random(1).randbytes(6_000_000))
    status, out, err = run("versions", "create", MODEL, "--file", str(weights), "--json")
    assert status == 0, err
    to = tmp_path / "out.zip"
    version = json.loads(out)["id"]
    assert run("versions", "download", MODEL, version, "--to", str(to))[0] == 0
    with zipfile.ZipFile(to) as files:
        assert files.read("weights.bin") == weights.read_bytes()
    assert run("models", "download", MODEL, "--to", str(to))[0] == 0
    assert run("versions", "download", MODEL, "nope", "--to", str(tmp_path / "no.zip"))[0] == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.zip", "weights.bin"]
    assert list((Path(data_dir) / "handed-files").iterdir()) == []


@pytest.mark.feature("R11", does="ask")
def test_R11_limits_by_command(run: Run) -> None:
    assert json.loads(run("limits", "--json")[1])["maxCustomModelReplicasPerDeployment"] == 8


@pytest.mark.feature("R12", does="ask")
def test_R12_access_by_command(run: Run) -> None:
    assert run("access", "set", MODEL, "--role", "ann@example.com=editor")[0] == 0
    assert "EDITOR" in run("access", "list", MODEL)[1]
    status, _, err = run("access", "set", MODEL, "--role", f"{OWNER}=none")
    assert (status, "without an owner" in err) == (8, True)
    assert run("access", "set", MODEL, "--role", "ann@example.com=boss")[0] == 2


def test_R9_wrong_input_by_command(run: Run) -> None:
    status, _, err = run("models", "create", "x" * 256, "-f", "replicas=9", "-f", "colour=1")
    assert status == 2
    assert all(name in err for name in ("name", "replicas", "colour"))
    assert run("models", "show", "..")[0] == 2
    assert run("models", "list", "--connection", "other")[0] == 8
    assert run("models", "list", "--connection", "va")[0] == 2


def test_an_answer_that_holds_the_connections_secret_is_shown_without_it(run: Run) -> None:
    described = f"description=uses {API_KEY} for now"
    assert run("models", "update", MODEL, "-f", described)[0] == 0
    shown = run("models", "show", MODEL, "--json")[1]
    assert "for now" in shown
    assert API_KEY not in shown


def test_R9_what_the_service_says_beside_its_message_is_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("no such requirement ===\n")
    given = ["--file", str(tmp_path / "requirements.txt")]
    status, _, err = run("versions", "create", MODEL, *given)
    assert status == 8
    assert "invalidDependencies" in err or "dependencies" in err


def test_what_there_is_to_ask_is_listed_and_asked(run: Run) -> None:
    status, out, _ = run("dr", group="call")
    assert status == 0
    assert "list_conversions" in out
    assert "customModelVersionId" in out
    answer = json.loads(run("dr", "get_model", "-f", f"customModelId={MODEL}", group="call")[1])
    assert answer["id"] == MODEL
    status, _, err = run("dr", "no_such", group="call")
    assert (status, "there are: copy_model, " in err) == (8, True)
    status, _, err = run("dr", "get_model", "-f", "customModelId=..", group="call")
    assert (status, "customModelId" in err) == (2, True)
    many = json.loads(run("dr", "list_models", "--all", "-f", "limit=1", group="call")[1])
    assert len(many["items"]) > 1
