"""A neighbour who may call the API, somebody else's secret, and a host of the neighbour's own.

The secret is a canary: whatever is tried, no byte of it arrives where its owner did not let it go.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.listener import Listener, listening_to_everything, redirect_to
from trainbell.cli.app import exit_status
from trainbell.client import ApiProblem, Trainbell
from trainbell.domain.secret_bounds import Bound
from trainbell.domain.settings import Connection
from trainbell.embedded.instance import EmbeddedInstance
from trainbell.secret_list import SecretList
from trainbell.simulators.deepva.trainings import FACE_DATASET
from trainbell.simulators.einstein import ACCESS as EINSTEIN

pytestmark = pytest.mark.e2e

CANARY = "canary-7d1f0a94c3e2b856"
AWS_KEYS = json.dumps(
    {"access_key_id": "AKIACANARY", "secret_access_key": CANARY * 2, "session_token": CANARY}
)
PROVIDERS: dict[str, dict[str, Any]] = {
    "azure_vision": {},
    "datarobot": {},
    "deepva": {},
    "einstein": dict(EINSTEIN.options),
    "lookout_vision": {"region": "eu-west-1"},
    "sagemaker": {"region": "eu-west-1"},
}
SECRETS = {"lookout_vision": AWS_KEYS, "sagemaker": AWS_KEYS, "einstein": EINSTEIN.secret}


@dataclass
class Machine:
    """One Trainbell, the owner's list, and a listener that a neighbour runs."""

    folder: Path
    instance: EmbeddedInstance
    client: Trainbell
    stack: ExitStack
    listeners: list[Listener] = field(default_factory=list)

    @property
    def list(self) -> SecretList:
        return SecretList(self.folder / "data")

    def secret(self, provider: str = "deepva") -> str:
        file = self.folder / f"{provider}-key"
        file.write_text(SECRETS.get(provider, CANARY))
        return f"file:{file}"

    def listener(self, *args: Any, **options: Any) -> Listener:
        made = self.stack.enter_context(listening_to_everything(*args, **options))
        self.listeners.append(made)
        return made

    def connection(self, base_url: str, provider: str = "deepva", **fields: Any) -> dict[str, Any]:
        given = {"provider": provider, "base_url": base_url, "secret": self.secret(provider)}
        return {**given, "options": PROVIDERS[provider], **fields}

    def behind_the_api(self, name: str, base_url: str) -> None:
        """Lead a stored connection elsewhere, as nobody can by the API."""
        store = self.instance.services.store
        stored = store.get_config(Connection, name)
        assert stored is not None
        store.put_config(replace(stored, base_url=base_url))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with ExitStack() as stack:
        instance = stack.enter_context(EmbeddedInstance(tmp_path / "data", port=0))
        client = stack.enter_context(Trainbell(instance.url, token=instance.token))
        yield Machine(tmp_path, instance, client, stack)


def assert_not_heard(*listeners: Listener) -> None:
    forms = [CANARY.encode(), quote(CANARY).encode(), base64.b64encode(CANARY.encode())[:-4]]
    forms += [line.encode() for line in EINSTEIN.secret.splitlines()[1:-1]]
    for listener in listeners:
        assert not [form for form in forms if form in listener.heard]


def assert_refused(
    problem: ApiProblem, *, status: int, what: str = "is not allowed to go to"
) -> None:
    assert problem.status == status
    assert what in str(problem)
    assert "trainbell secrets allow" in str(problem)
    assert CANARY not in str(problem)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_neighbours_host_gets_nobodys_secret(machine: Machine, provider: str) -> None:
    theirs = machine.listener()
    with pytest.raises(ApiProblem) as refused:
        machine.client.put("connections", "mine", machine.connection(theirs.url, provider))
    assert_refused(refused.value, status=422)
    with pytest.raises(ApiProblem) as missing:
        machine.client.get("connections", "mine")
    assert missing.value.status == 404
    assert theirs.connections == 0


def test_logs_of_sagemaker_go_nowhere_else_either(machine: Machine) -> None:
    theirs = machine.listener()
    body = machine.connection("https://api.sagemaker.eu-west-1.amazonaws.com", "sagemaker")
    machine.list.allow(body["secret"], Bound.of(["api.sagemaker.eu-west-1.amazonaws.com"]))
    body["options"] = {**body["options"], "logs_url": theirs.url}
    with pytest.raises(ApiProblem) as refused:
        machine.client.put("connections", "mine", body)
    assert_refused(refused.value, status=422)


@pytest.mark.parametrize("provider", ["lookout_vision", "sagemaker"])
def test_the_machines_own_credentials_go_to_aws_alone(
    machine: Machine, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIACANARY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY * 2)
    monkeypatch.setenv("AWS_SESSION_TOKEN", CANARY)
    theirs = machine.listener()
    body = {**machine.connection(theirs.url, provider), "secret": None}
    with pytest.raises(ApiProblem) as refused:
        machine.client.put("connections", "mine", body)
    assert_refused(refused.value, status=422, what="own credentials are not allowed to go to")
    # Its owner may allow it all the same.
    machine.list.allow("ambient:credentials", Bound.of([f"127.0.0.1:{theirs.port}"], provider))
    machine.client.put("connections", "mine", body)
    with pytest.raises(ApiProblem):
        machine.client.test("connections", "mine")
    assert CANARY.encode() in theirs.heard


def aliases(port: int) -> list[str]:
    """Other names of what is bound, and names that only look like it."""
    return [
        f"http://localhost:{port}",
        f"http://LOCALHOST.:{port}",
        f"http://127.0.0.2:{port}",
        f"http://[::1]:{port}",
        f"http://[::ffff:127.0.0.1]:{port}",
        f"http://127.0.0.1:{port + 1 if port < 65535 else port - 1}",
        f"http://127.1:{port}",
        f"http://2130706433:{port}",
        f"http://0x7f000001:{port}",
        f"http://127.0.0.1:{port}@localhost:{port}",
        f"http://ada@127.0.0.1:{port}",
        f"http://127.0.0.1:{port}\\@localhost:{port}",
        f"http://127。0。0。1:{port}",
        f"https://127.0.0.1.evil.example:{port}",
        f"https://xn--27-hia.0.0.1.example:{port}",
    ]


def test_no_other_name_of_a_bound_host_will_do(machine: Machine) -> None:
    """Saved, none is. And where one stands in the store all the same, its use is refused."""
    bound = machine.listener()
    secret = machine.secret()
    machine.list.allow(secret, Bound.of([f"127.0.0.1:{bound.port}"], "deepva"))
    machine.client.put("connections", "ours", machine.connection(bound.url))
    for alias in aliases(bound.port):
        with pytest.raises(ApiProblem) as refused:
            machine.client.put("connections", "mine", machine.connection(alias))
        assert refused.value.status == 422, alias
        machine.behind_the_api("ours", alias)
        with pytest.raises(ApiProblem) as unused:
            machine.client.test("connections", "ours")
        assert unused.value.status in (400, 409, 422, 502, 503), alias
    assert bound.connections == 0


def test_what_was_led_elsewhere_behind_the_api_is_refused_when_it_is_used(
    machine: Machine,
) -> None:
    bound, theirs = machine.listener(), machine.listener()
    machine.list.allow(machine.secret(), Bound.of([f"127.0.0.1:{bound.port}"], "deepva"))
    machine.client.put("connections", "ours", machine.connection(bound.url))
    order = {
        "provider": "deepva",
        "connection": "ours",
        "parameters": {"source_dataset_id": FACE_DATASET, "output_model_name": "faces"},
        "min_interval_seconds": 1,
        "max_interval_seconds": 1,
    }
    machine.behind_the_api("ours", theirs.url)
    with pytest.raises(ApiProblem, match="is not allowed to go to"):
        machine.client.test("connections", "ours")
    job = machine.client.start(order)["id"]
    until = time.monotonic() + 10
    while machine.client.job(job)["last_error"] is None and time.monotonic() < until:
        time.sleep(0.1)
    seen = machine.client.job(job)
    assert "is not allowed to go to" in json.dumps(seen)
    assert CANARY not in json.dumps(seen)
    assert theirs.connections == 0


def test_a_withdrawn_permission_ends_what_is_under_way(machine: Machine) -> None:
    bound = machine.listener()
    secret = machine.secret()
    machine.list.allow(secret, Bound.of([f"127.0.0.1:{bound.port}"], "deepva"))
    machine.client.put("connections", "ours", machine.connection(bound.url))
    with pytest.raises(ApiProblem) as answered:
        machine.client.test("connections", "ours")
    assert "is not allowed" not in str(answered.value)
    assert CANARY.encode() in bound.heard
    before = bound.connections
    machine.list.withdraw(secret)
    with pytest.raises(ApiProblem, match="is not allowed to go to"):
        machine.client.test("connections", "ours")
    assert bound.connections == before


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_redirect_carries_it(machine: Machine, provider: str, status: int) -> None:
    theirs = machine.listener()
    bound = machine.listener(redirect_to(f"{theirs.url}/caught", status))
    secret = machine.secret(provider)
    machine.list.allow(secret, Bound.of([f"127.0.0.1:{bound.port}"]))
    machine.client.put("connections", "ours", machine.connection(bound.url, provider))
    with pytest.raises(ApiProblem):
        machine.client.test("connections", "ours")
    assert bound.connections > 0
    assert theirs.connections == 0
    assert_not_heard(theirs)


def test_a_webhooks_address_is_no_key_and_a_key_is_no_webhook(machine: Machine) -> None:
    theirs = machine.listener()
    hook = machine.folder / "hook"
    hook.write_text(f"https://hooks.slack.com/services/{CANARY}")
    body = {**machine.connection(theirs.url), "secret": f"file:{hook}"}
    with pytest.raises(ApiProblem) as refused:
        machine.client.put("connections", "mine", body)
    assert_refused(refused.value, status=422)
    channel = {"kind": "slack", "secret": machine.secret()}
    machine.list.allow(channel["secret"], Bound.of([], "deepva"))
    with pytest.raises(ApiProblem, match="is not allowed to go to"):
        machine.client.put("channels", "mine", channel)
    hook.write_text(f"https://evil.example/{CANARY}")
    machine.client.put("channels", "mine", {"kind": "slack", "secret": f"file:{hook}"})
    with pytest.raises(ApiProblem) as led_away:
        machine.client.test("channels", "mine")
    assert "the address in it for slack" in str(led_away.value)
    assert "evil.example" not in str(led_away.value)
    assert CANARY not in str(led_away.value)


def test_the_owner_allows_lists_and_withdraws_by_the_command_line(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRAINBELL_DATA_DIR", str(machine.folder / "data"))
    bound = machine.listener()
    secret, host = machine.secret(), f"127.0.0.1:{bound.port}"
    put = ["connections", "put", "ours", "--provider", "deepva", "--base-url", bound.url]
    assert exit_status([*put, "--secret", secret]) == 2
    said = capsys.readouterr().err
    command = f"trainbell secrets allow {secret} --provider deepva --host {host}"
    assert said.rstrip().endswith(command)
    # What is said is what is to be typed.
    assert exit_status(command.split()[1:]) == 0
    assert exit_status([*put, "--secret", secret]) == 0
    capsys.readouterr()
    assert exit_status(["secrets", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed == {"items": [{"secret": secret, "provider": "deepva", "hosts": [host]}]}
    assert exit_status(["secrets", "list"]) == 0
    assert host in capsys.readouterr().out
    assert exit_status(["secrets", "withdraw", secret]) == 0
    assert exit_status(["secrets", "withdraw", secret]) == 8
    assert exit_status([*put, "--secret", secret]) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["env:KEY"], "at least one host, or a provider"),
        (["env:KEY", "--host", "*.com"], "too wide"),
        (["env:KEY", "--host", "https://x.example", "--host", "*"], "'*'"),
        (["file:key", "--provider", "deepva"], "whole path"),
        (["secretsmanager:trainbell/x", "--provider", "deepva"], "tags"),
        (["hunter2-itself", "--provider", "deepva"], "by its reference"),
    ],
)
def test_what_cannot_be_allowed_is_said(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TRAINBELL_DATA_DIR", str(tmp_path / "data"))
    assert exit_status(["secrets", "allow", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "hunter2" not in said
    assert not (tmp_path / "data" / "allowed-secrets.json").exists()
