"""Tests of a model at DataRobot (R1), their log and their cancel (R2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.datarobot.service import an_order, valid
from trainbell.domain.job import State
from trainbell.errors import (
    ProviderJobMissing,
    ProviderRejected,
    StartOutcomeUnknown,
)
from trainbell.providers.datarobot.provider import DataRobot
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.work import Plan
from trainbell.simulators.datarobot.world import (
    LIVE_DATASET,
)
from trainbell.simulators.faults import Fault, FaultKind

# ---------------------------------------------------------------- R1: tests


def test_R1_each_check_has_its_status_and_message(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    trouble = {"sideEffects": "row 3 differs", "nullValueImputation": "cannot impute"}
    simulator.world.plan = Plan(trouble=trouble)
    checks = {"sideEffects": "warn", "nullValueImputation": "fail", "errorCheck": "skip"}
    handle = datarobot.start(an_order(configuration=checks))
    simulator.clock.advance(60)
    seen = datarobot.poll(handle)
    assert (seen.vendor_status, seen.state) == ("failed", State.FAILED)
    assert seen.message == (
        "nullValueImputation failed: cannot impute; sideEffects warning: row 3 differs"
    )
    assert seen.error_details == {
        "nullValueImputation": {"status": "failed", "message": "cannot impute"}
    }
    assert seen.performance.per_tag == {
        "longRunningService": {"succeeded": 1.0},
        "errorCheck": {"skipped": 1.0},
        "nullValueImputation": {"failed": 1.0},
        "sideEffects": {"warning": 1.0},
    }
    assert seen.performance.metrics["checks_failed"] == 1.0


def test_R1_a_warning_is_a_success_that_says_so(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    simulator.world.plan = Plan(trouble={"sideEffects": "row 3 differs"})
    handle = datarobot.start(an_order(configuration={"sideEffects": "warn"}))
    simulator.clock.advance(60)
    seen = datarobot.poll(handle)
    assert (seen.state, seen.message) == (State.SUCCEEDED, "sideEffects warning: row 3 differs")


def test_R1_the_running_check_is_the_stage(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    simulator.world.plan = Plan(queued_seconds=0, running_seconds=40)
    handle = datarobot.start(an_order())
    assert datarobot.poll(handle).stage == "longRunningService"
    simulator.clock.advance(11)
    assert datarobot.poll(handle).stage == "errorCheck"


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"datasetId": LIVE_DATASET}, 422, "not snapshotted"),
        ({"datasetId": "nope"}, 404, "not found"),
        ({"datasetId": None}, 422, "datasetId is required"),
    ],
)
def test_R1_the_services_refusals_are_told_apart(
    datarobot: DataRobot, change: dict[str, Any], status: int, says: str
) -> None:
    with pytest.raises(ProviderRejected, match=says) as raised:
        datarobot.start(an_order(**change))
    assert raised.value.http_status == status


def test_R1_a_model_has_one_running_test(datarobot: DataRobot) -> None:
    datarobot.start(an_order())
    with pytest.raises(ProviderRejected, match="already in progress") as raised:
        datarobot.start(an_order())
    assert raised.value.http_status == 422


def test_R1_a_test_that_was_taken_but_is_not_seen_is_unclear(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    """A throttled look at the list must never look like a throttled start, which is sent again."""
    simulator.faults.add(Fault(kind=FaultKind.THROTTLED, method="GET"))
    with pytest.raises(StartOutcomeUnknown, match="took the test"):
        datarobot.start(an_order())
    assert datarobot.find(an_order()) is not None


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("desiredMemory", [134_217_728, 15_032_385_536], [134_217_727, 15_032_385_537, "1"]),
        ("maximumMemory", [134_217_728, 15_032_385_536], [134_217_727, 15_032_385_537, True]),
        ("replicas", [1, 8], [0, 9]),
        ("networkEgressPolicy", ["NONE", "PUBLIC"], ["DR_API_ACCESS"]),
        ("requiresHa", [True], ["true"]),
        ("datasetId", ["a" * 64], ["", "a/b", "a" * 65]),
        ("configuration", [{"errorCheck": "skip"}, {}], [{"errorCheck": "warn"}]),
        ("configuration", [{"longRunningService": "fail"}], [{"longRunningService": "skip"}]),
        ("configuration", [{"sideEffects": "warn"}], [{"sideEffects": "no"}, {"speed": "fail"}]),
    ],
)
def test_R1_bounds_of_a_test(name: str, good: list[Any], bad: list[Any]) -> None:
    assert all(valid("test", **{name: value}) for value in good)
    assert not any(valid("test", **{name: value}) for value in bad)


def test_R1_a_resource_bundle_excludes_memory() -> None:
    assert valid("test", resourceBundleId="b")
    assert not valid("test", resourceBundleId="b", maximumMemory=134_217_728)


# ---------------------------------------------------------------- R2: log, tail, cancel


def test_R2_the_log_and_its_tail(datarobot: DataRobot, simulator: DataRobotSimulator) -> None:
    handle = datarobot.start(an_order())
    assert datarobot.logs(handle, 10) == []
    simulator.clock.advance(60)
    assert datarobot.logs(handle, 4)[-1] == "sideEffects: skipped"
    assert len(datarobot.logs(handle, 1)) == 1
    assert len(datarobot.logs(handle, 1000)) == 1000
    assert len(datarobot.client.tests.tail(handle["id"])) == 100
    assert len(datarobot.client.tests.log(handle["id"]).splitlines()) == 1205


def test_R2_a_cancel_ends_it_and_a_late_one_does_no_harm(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order())
    datarobot.cancel(handle)
    assert datarobot.poll(handle).state is State.CANCELLED
    datarobot.cancel(handle)
    with pytest.raises(ProviderRejected) as raised:
        datarobot.client.tests.cancel(handle["id"])
    assert raised.value.http_status == 409
    with pytest.raises(ProviderJobMissing):
        datarobot.cancel({"kind": "test", "id": "nope"})
