"""The simulated DataRobot, and the resources that jobs are about (R9 to R12): through the
provider's own client, the command line, and plain HTTP."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from tests.builders import NOON, FakeClock, a_connection
from tests.open_secrets import OpenSecrets
from trainbell.errors import (
    InputInvalid,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    StartOutcomeUnknown,
)
from trainbell.ports import ProviderContext
from trainbell.providers.datarobot.client import DataRobotClient
from trainbell.providers.datarobot.resources.custom_models import ModelFilter, download_call
from trainbell.providers.datarobot.resources.fields import (
    Grant,
    ModelChanges,
    NewModel,
    NewVersion,
    VersionChanges,
)
from trainbell.providers.datarobot.resources.versions import VersionContents, files_below
from trainbell.simulators.__main__ import names
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.records import OWNER
from trainbell.simulators.datarobot.service import API_KEY
from trainbell.simulators.datarobot.work import Plan
from trainbell.simulators.datarobot.world import (
    DATASET,
    ENVIRONMENT,
    LIVE_DATASET,
    MAIN_FILE,
    MODEL,
    REPOSITORY,
    VERSION,
)
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.simulators.server import running
from trainbell.simulators.service import Request

AUTH = {"Authorization": f"Bearer {API_KEY}"}
MEGABYTE = 1_000_000


class OneSecret(OpenSecrets):
    def read(self, reference: str) -> str:
        return API_KEY


def fresh_simulator() -> DataRobotSimulator:
    return DataRobotSimulator(SimulatorClock(speed=0, start=NOON))


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[DataRobotSimulator, str]]:
    simulator = fresh_simulator()
    with running(simulator) as url:
        yield simulator, url


@pytest.fixture
def simulator(served: tuple[DataRobotSimulator, str]) -> DataRobotSimulator:
    vars(served[0]).update(vars(fresh_simulator()))
    return served[0]


@pytest.fixture
def url(served: tuple[DataRobotSimulator, str], simulator: DataRobotSimulator) -> str:
    return f"{served[1]}/api/v2"


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{url}/", headers=AUTH, trust_env=False) as client:
        yield client


def a_client(url: str, transport: httpx.BaseTransport | None = None) -> DataRobotClient:
    return DataRobotClient.from_context(
        ProviderContext(
            connection=a_connection(name="dr", provider="datarobot", base_url=url),
            secrets=OneSecret(),
            clock=FakeClock(),
            transport=transport,
        )
    )


@pytest.fixture
def client(url: str) -> Iterator[DataRobotClient]:
    client = a_client(url)
    yield client
    client.close()


def a_model(name: str = "Fraud", **fields: Any) -> NewModel:
    given = {"customModelType": "inference", "targetType": "Binary", "targetName": "is_fraud"}
    return NewModel.model_validate({**given, "name": name, **fields})


# ---------------------------------------------------------------- R9: models


def test_R9_create_get_update_copy_delete(client: DataRobotClient) -> None:
    made = client.models.create(a_model(description="first"))
    assert client.models.get(made.id).description == "first"
    changes = ModelChanges.model_validate({"name": "Fraud 2", "maximumMemory": 134_217_728})
    assert client.models.update(made.id, changes).name == "Fraud 2"
    copied = client.models.copy(MODEL)
    assert (copied.name, copied.id != MODEL) == ("Churn (copy)", True)
    assert len(client.versions.list(copied.id).items) == 1
    client.models.delete(made.id)
    with pytest.raises(ProviderJobMissing):
        client.models.get(made.id)
    with pytest.raises(ProviderJobMissing):
        client.models.delete(made.id)


def test_R9_lists_are_ordered_searched_and_filtered(
    client: DataRobotClient, simulator: DataRobotSimulator
) -> None:
    simulator.clock.advance(10)
    old = client.models.create(a_model("Old", language="R")).id
    simulator.clock.advance(10)
    new = client.models.create(a_model("New", description="from OLD data")).id
    task = client.models.create(
        NewModel.model_validate({"name": "T", "customModelType": "training"})
    )
    simulator.clock.advance(10)
    client.models.update(old, ModelChanges.model_validate({"language": "r"}))
    simulator.world.models[new].deployments = 2

    def ids(**wanted: Any) -> list[str]:
        return [model.id for model in client.models.list(ModelFilter(**wanted)).items]

    assert ids() == [task.id, new, old, MODEL]
    assert ids(order="created")[:2] == [MODEL, old]
    assert ids(order="-updated")[0] == old
    assert ids(order="updated")[-1] == old
    assert ids(search="old") == [new, old]
    assert ids(search="PYTHON") == [MODEL]
    assert ids(kind="training") == [task.id]
    assert ids(deployed=True) == [new]
    assert new not in ids(deployed=False)


def test_R9_refusals_are_told_apart(
    client: DataRobotClient, simulator: DataRobotSimulator, http: httpx.Client
) -> None:
    with pytest.raises(ProviderRejected, match="training data") as conflict:
        client.models.update(MODEL, ModelChanges.model_validate({"targetName": "x"}))
    assert conflict.value.http_status == 409
    simulator.world.models[MODEL].deployments = 1
    with pytest.raises(ProviderRejected, match="deployed") as deployed:
        client.models.delete(MODEL)
    assert deployed.value.http_status == 409
    assert isinstance(deployed.value.details, dict)
    assert "/deployments/" in deployed.value.details["link"]
    simulator.world.models[MODEL].deployments = 0
    body = {"customModelId": MODEL, "customModelVersionId": VERSION, "datasetId": DATASET}
    http.post("customModelTests/", json=body)
    with pytest.raises(ProviderRejected, match="being tested"):
        client.models.delete(MODEL)
    with pytest.raises(ProviderRejected, match="targetName is required") as invalid:
        client.models.create(a_model(targetName=None))
    assert invalid.value.http_status == 422


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("name", ["n", "n" * 255], ["", "n" * 256]),
        ("description", ["d" * 10_000], ["d" * 10_001]),
        ("language", ["l" * 500], ["l" * 501]),
        ("targetName", ["t" * 500], ["t" * 501]),
        ("userProvidedId", ["u" * 100], ["u" * 101]),
        ("predictionThreshold", [0.0, 1.0], [-0.01, 1.01]),
        ("replicas", [1, 8], [0, 9]),
        ("maximumMemory", [134_217_728, 15_032_385_536], [134_217_727, 15_032_385_537]),
        ("desiredMemory", [134_217_728, 15_032_385_536], [134_217_727, 15_032_385_537]),
        ("classLabels", [["x"] * 100], [["x"] * 101]),
        ("networkEgressPolicy", ["DR_API_ACCESS"], ["ALL"]),
    ],
)
def test_R9_bounds_of_a_model_here_and_there(
    http: httpx.Client, field: str, good: list[Any], bad: list[Any]
) -> None:
    base = a_model().wire()
    for value in good:
        NewModel.model_validate({**base, field: value})
        assert http.post("customModels/", json={**base, field: value}).status_code == 201
    for value in bad:
        with pytest.raises(ValidationError):
            NewModel.model_validate({**base, field: value})
        answer = http.post("customModels/", json={**base, field: value})
        assert answer.status_code == 422
        assert field in answer.json()["errors"]


def test_R9_a_lost_answer_to_a_create_is_never_sent_again(
    client: DataRobotClient, simulator: DataRobotSimulator
) -> None:
    simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, method="POST"))
    with pytest.raises(StartOutcomeUnknown):
        client.models.create(a_model())
    assert simulator.requests["POST"] == 1
    assert len(client.models.list().items) == 2


# ---------------------------------------------------------------- R10: versions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model" / "lib").mkdir(parents=True)
    (tmp_path / "model" / "custom.py").write_text("print(1)\n")
    (tmp_path / "model" / "lib" / "data.bin").write_bytes(bytes(range(256)) * 4 + b"\r\n--\r\n")
    return tmp_path / "model"


def test_R10_a_version_from_files_comes_back_byte_for_byte(
    client: DataRobotClient, folder: Path
) -> None:
    fields = NewVersion.model_validate({"baseEnvironmentId": ENVIRONMENT, "isMajorUpdate": True})
    contents = VersionContents(fields=fields, files=files_below(folder))
    made = client.versions.create(MODEL, contents)
    assert made.label == "2.0"
    assert [item.file_path for item in made.items] == ["custom.py", "lib/data.bin"]
    buffer = io.BytesIO()
    size = client.versions.download(MODEL, made.id, buffer.write)
    assert size == len(buffer.getvalue())
    with zipfile.ZipFile(buffer) as archive:
        assert archive.read("lib/data.bin") == (folder / "lib" / "data.bin").read_bytes()
    latest = io.BytesIO()
    client.models.download(MODEL, latest.write, install_script=True)
    with zipfile.ZipFile(latest) as archive:
        assert "install_dependencies.sh" in archive.namelist()


def test_R10_from_the_latest_files_are_added_replaced_and_left_out(
    client: DataRobotClient, folder: Path
) -> None:
    fields = NewVersion.model_validate({"maximumMemory": 134_217_728})
    files = [(folder / "custom.py", "custom.py")]
    made = client.versions.create_from_latest(
        MODEL, VersionContents(fields=fields, files=files, delete=[MAIN_FILE])
    )
    assert made.label == "1.1"
    assert [item.file_path for item in made.items] == ["custom.py"]
    assert client.versions.get(MODEL, made.id) == made
    labels = [version.label for version in client.versions.list(MODEL).items]
    assert labels == ["1.1", "1.0"]
    described = VersionChanges.model_validate({"description": "better"})
    assert client.versions.update(MODEL, made.id, described).description == "better"


def test_R10_a_version_that_is_refused_says_everything(
    client: DataRobotClient, tmp_path: Path
) -> None:
    wrong = tmp_path / "requirements.txt"
    wrong.write_text("numpy>=1,<3\npandas=>2\n")
    with pytest.raises(ProviderRejected) as raised:
        client.versions.create(MODEL, VersionContents(files=[(wrong, "requirements.txt")]))
    assert raised.value.http_status == 422
    assert raised.value.details == {
        "message": "requirements.txt cannot be read.",
        "errors": ["cannot read: pandas=>2"],
        "dependencies": [],
        "invalidDependencies": ["pandas=>2"],
    }
    with pytest.raises(ProviderRejected) as missing:
        client.versions.create("nope", VersionContents())
    assert missing.value.http_status == 404


def test_R10_dependencies_must_be_built_before_a_test(
    client: DataRobotClient, simulator: DataRobotSimulator, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text("numpy>=1,<3\n")
    made = client.versions.create(MODEL, VersionContents(files=files_below(tmp_path)))
    body = {"customModelId": MODEL, "customModelVersionId": made.id, "datasetId": DATASET}
    with pytest.raises(ProviderRejected, match="must be built"):
        client.tests.start(body)
    client.builds.start(MODEL, made.id)
    simulator.clock.advance(60)
    assert client.tests.start(body)


def test_R10_a_lost_answer_to_an_upload_is_never_sent_again(
    client: DataRobotClient, simulator: DataRobotSimulator, folder: Path
) -> None:
    for kind in (FaultKind.LOST_ANSWER, FaultKind.DROPPED_AFTER, FaultKind.HALF_JSON):
        simulator.faults.add(Fault(kind=kind, method="POST"))
        with pytest.raises(StartOutcomeUnknown):
            client.versions.create(MODEL, VersionContents(files=files_below(folder)))
    assert simulator.requests["POST"] == 3


class _Sink:
    """A service that takes an upload and counts it, and gives an endless download."""

    def __init__(self, pieces: int = 0) -> None:
        self.received = 0
        self.pieces = pieces

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.received += sum(len(piece) for piece in request.stream)  # type: ignore[union-attr,misc]
        if self.pieces:
            return httpx.Response(200, content=(b"x" * MEGABYTE for _ in range(self.pieces)))
        return httpx.Response(201, json={"id": "v1"})


class _Transport(httpx.BaseTransport):
    """As MockTransport, which would read the whole request first."""

    def __init__(self, sink: _Sink) -> None:
        self.handle_request = sink  # type: ignore[method-assign]


def test_R10_files_stream_in_bounded_memory(tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(200 * MEGABYTE)
    up, down = _Sink(), _Sink(pieces=200)
    tracemalloc.start()
    try:
        sender = a_client("https://app.datarobot.com/api/v2", _Transport(up))
        sender.versions.create(MODEL, VersionContents(files=[(large, "large.bin")]))
        receiver = a_client("https://app.datarobot.com/api/v2", _Transport(down))
        size = receiver.models.download(MODEL, lambda _: None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert up.received > 200 * MEGABYTE
    assert size == 200 * MEGABYTE
    assert peak < 5 * MEGABYTE


def test_R10_a_download_that_is_too_large_or_breaks_off_is_an_error(
    client: DataRobotClient, simulator: DataRobotSimulator
) -> None:
    endless = a_client("https://app.datarobot.com/api/v2", _Transport(_Sink(pieces=50)))
    with pytest.raises(ProviderReplyInvalid, match="larger than 1000 bytes"):
        endless.http.download(download_call("/x/", False), lambda _: None, max_bytes=1000)
    simulator.faults.add(Fault(kind=FaultKind.HALF_BODY, method="GET"))
    with pytest.raises(ProviderReplyInvalid, match="broke off"):
        client.models.download(MODEL, lambda _: None)
    with pytest.raises(ProviderJobMissing):
        client.versions.download(MODEL, "nope", lambda _: None)


@pytest.mark.parametrize(
    "form",
    [
        {"isMajorUpdate": "perhaps"},
        {"isMajorUpdate": "true", "maximumMemory": "1"},
        {"isMajorUpdate": "true", "replicas": "9"},
        {"isMajorUpdate": "true", "filePath": "a.py"},
        {"isMajorUpdate": "true", "networkEgressPolicy": "DR_API_ACCESS"},
        {"isMajorUpdate": "true", "trainingData": "{"},
        {"isMajorUpdate": "true", "resourceBundleId": "b", "maximumMemory": "134217728"},
        {},
    ],
)
def test_R10_wrong_forms_make_no_version(
    http: httpx.Client, simulator: DataRobotSimulator, form: dict[str, str]
) -> None:
    parts = {key: (None, value) for key, value in form.items()} or {"x": (None, "")}
    answer = http.post(f"customModels/{MODEL}/versions/", files=parts)
    assert answer.status_code == 422
    assert len(simulator.world.models[MODEL].versions) == 1
    assert http.post(f"customModels/{MODEL}/versions/", json={}).status_code == 400


# ---------------------------------------------------------------- R11: limits and pages


def test_R11_limits(client: DataRobotClient) -> None:
    limits = client.models.limits()
    assert limits.max_custom_model_container_size == 15_032_385_536
    assert limits.max_custom_model_replicas_per_deployment == 8
    assert limits.max_custom_model_testing_parallel_users == 20


def test_R11_pages_have_absolute_neighbours_and_need_neither_offset_nor_limit(
    http: httpx.Client, simulator: DataRobotSimulator
) -> None:
    for number in range(249):
        simulator.world.add_model(f"m{number}", f"v{number}", name=f"Model {number}")
    first = http.get("customModels/").json()
    assert (first["count"], first["totalCount"], first["previous"]) == (100, 250, None)
    seen, page = list(first["data"]), first
    while page["next"]:
        assert page["next"].startswith("http://127.0.0.1")
        page = http.get(page["next"]).json()
        seen += page["data"]
    assert len({model["id"] for model in seen}) == 250
    assert "offset=100" in page["previous"]
    narrow = http.get("customModels/", params={"limit": 7, "offset": 7, "searchFor": "1"}).json()
    assert narrow["count"] == 7
    assert "searchFor=1" in narrow["next"]
    assert "offset=0" in narrow["previous"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "offset=-1", "orderBy=name", "isDeployed=yes"]
)
def test_R11_wrong_queries_are_422(http: httpx.Client, query: str) -> None:
    assert http.get(f"customModels/?{query}").status_code == 422


def test_R11_the_client_reads_lists_of_many_pages(
    client: DataRobotClient, simulator: DataRobotSimulator
) -> None:
    for number in range(249):
        simulator.world.add_model(f"m{number}", f"v{number}")
    assert len(client.models.list().items) == 250
    assert client.models.count() == 250
    assert simulator.requests["GET"] == 4


# ---------------------------------------------------------------- R12: access control


def a_grant(username: str, role: str | None, can_share: bool | None = None) -> Grant:
    return Grant.model_validate({"username": username, "role": role, "canShare": can_share})


def test_R12_roles_are_given_and_taken_and_an_owner_stays(client: DataRobotClient) -> None:
    ann = "ann@example.com"
    client.access.update(MODEL, [a_grant(ann, "EDITOR", can_share=True)])
    roles = {each.username: (each.role, each.can_share) for each in client.access.list(MODEL).items}
    assert roles == {OWNER: ("OWNER", True), ann: ("EDITOR", True)}
    with pytest.raises(ProviderRejected, match="without an owner") as raised:
        client.access.update(MODEL, [a_grant(OWNER, None)])
    assert raised.value.http_status == 409
    client.access.update(MODEL, [a_grant(ann, "OWNER"), a_grant(OWNER, None)])
    assert [each.username for each in client.access.list(MODEL).items] == [ann]
    with pytest.raises(ProviderRejected, match="does not exist") as unknown:
        client.access.update(MODEL, [a_grant("nobody@example.com", "USER")])
    assert unknown.value.http_status == 422


def test_R12_at_most_100_roles_in_one_request(
    client: DataRobotClient, simulator: DataRobotSimulator, http: httpx.Client
) -> None:
    simulator.world.users += tuple(f"user{n}@example.com" for n in range(101))
    grants = [a_grant(f"user{n}@example.com", "USER") for n in range(101)]
    for wrong in ([], grants):
        with pytest.raises(InputInvalid, match="1 to 100"):
            client.access.update(MODEL, wrong)
    body = {"data": [grant.body() for grant in grants]}
    assert http.patch(f"customModels/{MODEL}/accessControl/", json=body).status_code == 422
    client.access.update(MODEL, grants[:100])
    assert len(client.access.list(MODEL).items) == 101


@pytest.mark.parametrize("role", ["owner", "BOSS", ""])
def test_R12_only_documented_roles(role: str) -> None:
    with pytest.raises(ValidationError):
        a_grant("ann@example.com", role)


# ---------------------------------------------------------------- what else the service does


@pytest.mark.parametrize("scheme", ["Bearer", "Token"])
def test_both_schemes_are_taken(url: str, scheme: str) -> None:
    header = {"Authorization": f"{scheme} {API_KEY}"}
    assert httpx.get(f"{url}/version/", headers=header, trust_env=False).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer wrong", API_KEY, f"Key {API_KEY}"])
def test_any_other_key_is_401(http: httpx.Client, header: str) -> None:
    assert http.get("version/", headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "customModels", 404),
        ("GET", "elsewhere/", 404),
        ("PUT", "customModels/", 405),
        ("GET", "status/nope/", 404),
        ("GET", "customModelTests/", 422),
        ("GET", f"customModels/{MODEL}/versions/{VERSION}/dependencyBuild/", 422),
        ("GET", f"customModels/{MODEL}/versions/{VERSION}/dependencyBuildLog/", 422),
        ("GET", f"customModels/{MODEL}/versions/{VERSION}/featureImpact/", 404),
        ("DELETE", f"customModels/{MODEL}/versions/{VERSION}/dependencyBuild/", 422),
        ("GET", f"customModels/{MODEL}/versions/?mainBranchCommitSha=abc", 422),
    ],
)
def test_other_calls(http: httpx.Client, method: str, path: str, status: int) -> None:
    assert http.request(method, path).status_code == status


@pytest.mark.parametrize(("lines", "status"), [(0, 400), (1, 200), (1000, 200), (1001, 400)])
def test_R2_a_tail_has_1_to_1000_lines(http: httpx.Client, lines: int, status: int) -> None:
    body = {"customModelId": MODEL, "customModelVersionId": VERSION, "datasetId": DATASET}
    http.post("customModelTests/", json=body)
    test = http.get(f"customModelTests/?customModelId={MODEL}").json()["data"][0]
    answer = http.get(f"customModelTests/{test['id']}/tail/?lines={lines}")
    assert answer.status_code == status
    assert http.get(f"customModelTests/{test['id']}/log/").status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"customModelId": None}, 422),
        ({"customModelId": "nope"}, 404),
        ({"datasetId": LIVE_DATASET}, 422),
        ({"replicas": 9}, 422),
        ({"maximumMemory": 1}, 422),
        ({"configuration": {"longRunningService": "skip"}}, 422),
        ({"configuration": {"speed": "fail"}}, 422),
        ({"resourceBundleId": "b", "maximumMemory": 134_217_728}, 422),
    ],
)
def test_R1_wrong_tests_start_nothing(
    http: httpx.Client, simulator: DataRobotSimulator, change: dict[str, Any], status: int
) -> None:
    body = {"customModelId": MODEL, "customModelVersionId": VERSION, "datasetId": DATASET}
    assert http.post("customModelTests/", json={**body, **change}).status_code == status
    assert not simulator.starts


def test_R8_statuses_go_through_their_words_to_a_303(
    http: httpx.Client, simulator: DataRobotSimulator
) -> None:
    simulator.world.plan = Plan(queued_seconds=5, running_seconds=10)
    answer = http.post(
        f"customModels/{MODEL}/versions/fromRepository/", json={"repositoryId": REPOSITORY}
    )
    assert (answer.status_code, answer.content) == (202, b"")
    status = answer.headers["location"]
    words = []
    for seconds in (0, 5):
        simulator.clock.advance(seconds)
        words.append(http.get(status).json()["status"])
    simulator.clock.advance(10)
    done = http.get(status)
    assert words == ["INITIALIZED", "RUNNING"]
    assert done.status_code == 303
    assert http.get(done.headers["location"]).json()["label"] == "1.1"
    listed = http.get("status/?limit=0").json()
    assert [each["status"] for each in listed["data"]] == ["COMPLETED"]
    assert http.delete(status).status_code == 204
    assert http.get(status).status_code == 404


@pytest.mark.parametrize("end", ["ERROR", "ABORTED", "EXPIRED"])
def test_R8_other_ends_are_200(http: httpx.Client, simulator: DataRobotSimulator, end: Any) -> None:
    simulator.world.plan = Plan(ends=end)
    path = f"customModels/{MODEL}/versions/{VERSION}/predictionExplanationsInitialization/"
    status = http.post(path).headers["location"]
    simulator.clock.advance(60)
    assert http.get(status).json()["status"] == end


def test_R5_a_second_feature_impact_is_a_404_with_its_job(http: httpx.Client) -> None:
    path = f"customModels/{MODEL}/versions/{VERSION}/featureImpact/"
    first = http.post(path, json={"rowCount": 10})
    second = http.post(path, json={"rowCount": 20})
    assert (first.status_code, second.status_code) == (202, 404)
    assert second.json()["jobId"] == first.json()["statusId"]
    assert http.get(path).status_code == 422
    for rows in (9, 100_001):
        assert http.post(path, json={"rowCount": rows}).status_code == 422


def test_settings_and_counters(http: httpx.Client, url: str) -> None:
    control = url.removesuffix("/api/v2") + "/_simulator"
    settings = {"plans": [{"error": "boom"}], "deployed": [MODEL]}
    assert httpx.post(f"{control}/settings", json=settings, trust_env=False).status_code == 204
    assert http.delete(f"customModels/{MODEL}/").status_code == 409
    http.post(f"customModels/{MODEL}/versions/{VERSION}/dependencyBuild/")
    counters = httpx.get(f"{control}/counters", trust_env=False).json()
    assert counters["starts"] == {f"build_dependencies:{VERSION}": 1}
    assert counters["states"] == {"INITIALIZED": 1}
    assert httpx.post(f"{control}/settings", json={"colour": 1}, trust_env=False).status_code == 400


def test_it_answers_a_thousand_polls_a_second(simulator: DataRobotSimulator) -> None:
    """Its own part of a poll: what the socket costs is the core's, and the same for all."""
    headers = {"authorization": AUTH["Authorization"], "host": "127.0.0.1"}
    body = {"customModelId": MODEL, "customModelVersionId": VERSION, "datasetId": DATASET}
    start = Request("POST", "/api/v2/customModelTests/", {}, headers, json.dumps(body).encode())
    assert simulator.handle(start).status == 202
    poll = Request(
        "GET", f"/api/v2/customModelTests/{next(iter(simulator.world.tests))}/", {}, headers, b""
    )
    began = time.process_time()
    for _ in range(1000):
        assert simulator.handle(poll).status == 200
    assert time.process_time() - began < 0.5


def test_it_is_found_by_name() -> None:
    assert "datarobot" in names()
