"""Headers to and from DataRobot, and words that say that something else is under way."""

from __future__ import annotations

import gzip

import httpx
import pytest

from tests.contract.datarobot.account.service import a_client
from tests.contract.datarobot.service import an_order, answering
from trainbell.errors import ProviderReplyInvalid, ProviderUnavailable
from trainbell.providers.datarobot.provider import DataRobot
from trainbell.providers.datarobot.resources.versions import VersionContents
from trainbell.simulators.datarobot import DataRobotSimulator

URL = "https://app.datarobot.com/api/v2"


def test_files_and_logs_are_asked_for_in_their_own_form() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path.rsplit("/", 2)[-2], request.headers["accept"]))
        return httpx.Response(200, content=b"text")

    client = a_client(URL, httpx.MockTransport(answer))
    client.models.download("m", lambda _: None)
    client.builds.log("m", "v")
    client.tests.log("t")
    assert asked == [
        ("download", "application/zip"),
        ("dependencyBuildLog", "*/*"),
        ("log", "text/plain"),
    ]


def test_an_upload_has_one_length_and_the_type_of_a_form() -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.headers, len(request.content)))
        return httpx.Response(201, json={"id": "v1"})

    a_client(URL, httpx.MockTransport(answer)).versions.create("m", VersionContents())
    [(headers, size)] = asked
    assert headers.get_list("content-length") == [str(size)]
    assert [each.partition(";")[0] for each in headers.get_list("content-type")] == [
        "multipart/form-data"
    ]


def test_a_download_that_is_compressed_on_the_way_is_not_the_file() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, headers={"content-encoding": "gzip"}, content=gzip.compress(b"zip")
        )

    written: list[bytes] = []
    with pytest.raises(ProviderReplyInvalid):
        a_client(URL, httpx.MockTransport(answer)).models.download("m", written.append)
    assert written == []


@pytest.mark.parametrize("word", ["not_tested", "queued", "in_progress"])
def test_R1_a_check_that_has_not_ended_says_nothing_yet(word: str) -> None:
    checks = {"errorCheck": {"status": word, "message": "soon"}}
    document = {"id": "t", "overallStatus": "in_progress", "testingStatus": checks}
    seen = answering(httpx.Response(200, json=document)).poll({"kind": "test", "id": "t"})
    assert (seen.message, seen.performance.metrics, seen.performance.per_tag) == (None, {}, {})


@pytest.mark.parametrize(
    "type_", ["CustomModelFeatureImpact", "Testing", "ProjectPermanentDeletion"]
)
def test_R8_work_of_another_documented_type_is_not_ours(
    datarobot: DataRobot, simulator: DataRobotSimulator, type_: str
) -> None:
    simulator.world.begin(type_, "")
    assert datarobot.find(an_order("explain")) is None


def test_R8_work_that_may_be_ours_is_looked_up_again(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    simulator.world.begin("Dataset", "")
    with pytest.raises(ProviderUnavailable):
        datarobot.find(an_order("explain"))
