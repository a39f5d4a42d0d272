"""Every kind of DataRobot's jobs: started, seen, found again, ended (R8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import httpx
import pytest

from tests.builders import NOON, FakeClock
from tests.contract.datarobot.service import (
    ASYNCHRONOUS_WORDS,
    PARAMETERS,
    a_provider,
    an_order,
    answering,
)
from trainbell.domain.job import State
from trainbell.errors import (
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.ports import Handle
from trainbell.providers.datarobot.provider import DataRobot
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.work import Plan
from trainbell.simulators.datarobot.world import (
    MODEL,
)
from trainbell.simulators.faults import Fault, FaultKind

ENDS = {
    "test": "succeeded",
    "build_dependencies": "success",
    "convert": "succeeded",
    "feature_impact": "COMPLETED",
    "explain": "COMPLETED",
    "assign_training_data": "COMPLETED",
    "import_version": "COMPLETED",
}


@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_R8_every_kind_is_started_seen_and_ends(
    datarobot: DataRobot, simulator: DataRobotSimulator, kind: str
) -> None:
    simulator.world.plan = Plan(queued_seconds=5, running_seconds=20)
    handle = datarobot.start(an_order(kind))
    seen = [datarobot.poll(handle)]
    for seconds in (6, 30):
        simulator.clock.advance(seconds)
        seen.append(datarobot.poll(handle))
    states = [each.state for each in seen]
    # What runs on a bare version tells nothing of a queue.
    assert states[0] in (State.QUEUED, State.RUNNING)
    assert states[1:] == [State.RUNNING, State.SUCCEEDED]
    assert seen[-1].vendor_status == ENDS[kind]


@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_R8_every_kind_says_why_it_failed(
    datarobot: DataRobot, simulator: DataRobotSimulator, kind: str
) -> None:
    simulator.world.plan = Plan(error="out of memory")
    handle = datarobot.start(an_order(kind))
    simulator.clock.advance(60)
    seen = datarobot.poll(handle)
    assert seen.state is State.FAILED
    if kind == "build_dependencies":  # Its log alone says why.
        assert datarobot.logs(handle, 1) == ["ERROR: out of memory"]
    else:
        assert "out of memory" in (seen.message or "")


@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_R8_a_refused_start_is_no_start(
    datarobot: DataRobot, simulator: DataRobotSimulator, kind: str
) -> None:
    with pytest.raises(ProviderRejected) as raised:
        datarobot.start(an_order(kind, customModelId="nope"))
    assert raised.value.http_status == 404
    assert "message" in dict(cast("dict[str, str]", raised.value.details))
    with pytest.raises(ProviderRejected, match="the parameters are not those"):
        datarobot.start(an_order(kind, colour="red"))
    assert not simulator.starts


@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_R8_a_start_that_never_was_is_not_found(datarobot: DataRobot, kind: str) -> None:
    assert datarobot.find(an_order(kind)) is None


@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_R8_a_lost_start_is_found_and_never_sent_again(
    datarobot: DataRobot, simulator: DataRobotSimulator, kind: str
) -> None:
    """Where only an asynchronous status could find it, that is undecided until it has ended."""
    simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, method="POST"))
    simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, method="PATCH"))
    with pytest.raises(StartOutcomeUnknown):
        datarobot.start(an_order(kind))
    simulator.faults.replace()
    if kind in ("explain", "assign_training_data", "import_version"):
        with pytest.raises(ProviderUnavailable, match="does not say what it is"):
            datarobot.find(an_order(kind))
        simulator.clock.advance(60)
    handle = datarobot.find(an_order(kind))
    assert handle is not None
    simulator.clock.advance(60)
    assert datarobot.poll(handle).state is State.SUCCEEDED
    assert sum(simulator.starts.values()) == 1


@pytest.mark.parametrize("kind", ["test", "build_dependencies", "convert", "import_version"])
def test_R8_what_was_made_before_is_never_taken_for_a_lost_start(
    datarobot: DataRobot, simulator: DataRobotSimulator, kind: str
) -> None:
    datarobot.start(an_order(kind))
    simulator.clock.advance(3600)
    later = NOON + timedelta(hours=1)
    late = a_provider(datarobot.client.http.base_url, clock=FakeClock(later))
    assert late.find(an_order(kind, sent_at=later)) is None
    late.close()


def test_R8_another_models_work_is_never_taken_for_a_lost_start(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    simulator.world.add_model("other-model", "other-version")
    ids = {"customModelId": "other-model", "customModelVersionId": "other-version"}
    datarobot.start(an_order("explain", **ids))
    simulator.clock.advance(60)
    assert datarobot.find(an_order("explain")) is None
    assert datarobot.find(an_order("explain", **ids)) is not None


@pytest.mark.parametrize("kind", ["explain", "assign_training_data", "import_version"])
@pytest.mark.parametrize("location", ["", f"/customModels/{MODEL}/", "/projects/p/"])
def test_R8_a_link_that_names_too_little_decides_nothing(
    datarobot: DataRobot, simulator: DataRobotSimulator, kind: str, location: str
) -> None:
    change = {"route": "with_training_data"} if kind == "assign_training_data" else {}
    simulator.world.models[MODEL].given["isTrainingDataForVersionsPermanentlyEnabled"] = True
    handle = datarobot.start(an_order(kind, **change))
    simulator.clock.advance(60)
    simulator.world.settle()
    simulator.world.statuses[handle["status"]].location = location
    with pytest.raises(ProviderUnavailable, match="does not say"):
        datarobot.find(an_order(kind, **change))


def test_R8_an_import_of_another_reference_is_not_ours(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order("import_version", sourcePath="src/"))
    simulator.clock.advance(60)
    assert datarobot.find(an_order("import_version", ref="v2", sourcePath="src/")) is None
    assert datarobot.find(an_order("import_version", sourcePath="lib/")) is None
    assert datarobot.find(an_order("import_version", sourcePath="src/")) == handle


def test_R8_the_services_clock_may_be_wrong(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    """An hour slow: its tests look older than the start, and its Date header says why."""
    simulator.clock.skew_seconds = -3600
    handle = datarobot.start(an_order())
    assert datarobot.find(an_order()) == handle


def test_R8_without_a_time_nothing_is_looked_up(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    with pytest.raises(ProviderReplyInvalid, match="by the time"):
        datarobot.find(an_order(sent_at=None))


@pytest.mark.parametrize(("word", "state"), [*ASYNCHRONOUS_WORDS.items(), ("REBALANCING", None)])
def test_R8_each_status_reads_as_documented(
    datarobot: DataRobot, simulator: DataRobotSimulator, word: str, state: State | None
) -> None:
    handle = datarobot.start(an_order("explain"))
    simulator.world.statuses[handle["status"]].plan = Plan(word=word)
    seen = datarobot.poll(handle)
    assert (seen.vendor_status, seen.state) == (word, state)


def test_R8_a_status_that_is_gone_is_missing(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order("explain"))
    datarobot.client.statuses.forget(handle["status"])
    with pytest.raises(ProviderJobMissing):
        datarobot.poll(handle)


def test_R8_a_303_names_what_was_made(datarobot: DataRobot, simulator: DataRobotSimulator) -> None:
    handle = datarobot.start(an_order("import_version"))
    simulator.clock.advance(60)
    artifacts = datarobot.poll(handle).performance.artifacts
    made = simulator.world.models[MODEL].versions[-1]
    assert artifacts == {
        "model": f"datarobot:customModels/{MODEL}",
        "version": f"datarobot:customModels/{MODEL}/versions/{made.id}",
    }


def test_R8_a_307_leads_to_another_status_and_to_no_other_host() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if request.url.path.endswith("/old/"):
            return httpx.Response(
                307, headers={"Location": "https://elsewhere.example/api/v2/status/new/"}
            )
        return httpx.Response(200, json={"statusId": "new", "status": "RUNNING"})

    provider = a_provider("https://app.datarobot.com/api/v2", transport=httpx.MockTransport(answer))
    seen = provider.poll({"kind": "explain", "model": "m", "status": "old"})
    assert seen.state is State.RUNNING
    assert asked[-1] == "https://app.datarobot.com/api/v2/status/new/"


@pytest.mark.parametrize(
    ("status", "headers"),
    [(202, {}), (202, {"Location": "https://x/elsewhere/"}), (200, {"Location": "/status/a/"})],
)
def test_R8_a_start_without_a_status_to_watch_is_unclear(
    status: int, headers: dict[str, str]
) -> None:
    with pytest.raises(StartOutcomeUnknown, match="202"):
        answering(httpx.Response(status, headers=headers)).start(an_order("explain"))


def test_R8_a_list_that_changes_while_it_is_read_is_never_not_found() -> None:
    page: dict[str, Any] = {"data": [], "next": None, "totalCount": 3}
    with pytest.raises(ProviderUnavailable, match="changed while"):
        answering(httpx.Response(200, json=page)).find(an_order())
    endless = {"data": [], "next": "https://app.datarobot.com/more", "totalCount": 3}
    with pytest.raises(ProviderReplyInvalid, match="does not end"):
        answering(httpx.Response(200, json=endless)).find(an_order())


@pytest.mark.parametrize(
    "handle", [{}, {"kind": "test"}, {"kind": "test", "id": ".."}, {"kind": 1}]
)
def test_a_handle_without_an_id_is_of_no_job(datarobot: DataRobot, handle: Handle) -> None:
    with pytest.raises(ProviderJobMissing):
        datarobot.poll(handle)
