"""Versions with files at DataRobot (R10)."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.contract.datarobot.account.service import a_client
from trainbell.errors import (
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    StartOutcomeUnknown,
)
from trainbell.providers.datarobot.client import DataRobotClient
from trainbell.providers.datarobot.resources.custom_models import download_call
from trainbell.providers.datarobot.resources.fields import (
    NewVersion,
    VersionChanges,
)
from trainbell.providers.datarobot.resources.versions import VersionContents, files_below
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.world import (
    DATASET,
    ENVIRONMENT,
    MAIN_FILE,
    MODEL,
)
from trainbell.simulators.faults import Fault, FaultKind

MEGABYTE = 1_000_000


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
