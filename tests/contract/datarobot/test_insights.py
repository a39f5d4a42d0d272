"""Feature impact (R5) and prediction explanations (R6) at DataRobot."""

from __future__ import annotations

import pytest

from tests.contract.datarobot.service import an_order, valid
from trainbell.domain.job import State
from trainbell.errors import (
    NotSupported,
    ProviderRejected,
)
from trainbell.providers.datarobot import PROVIDER
from trainbell.providers.datarobot.provider import DataRobot
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.world import (
    VERSION,
)

# ---------------------------------------------------------------- R5: feature impact


def test_R5_one_that_is_submitted_already_is_joined(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    first = datarobot.start(an_order("feature_impact"))
    assert datarobot.start(an_order("feature_impact")) == first
    assert simulator.starts == {f"feature_impact:{VERSION}": 1}


def test_R5_each_feature_has_its_impact(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order("feature_impact"))
    simulator.clock.advance(60)
    performance = datarobot.poll(handle).performance
    assert list(performance.per_tag) == ["tenure", "plan", "region", "noise"]
    assert performance.per_tag["tenure"] == {"impactNormalized": 1.0, "impactUnnormalized": 0.31}
    assert performance.metrics == {"features": 4.0, "rowCount": 10_000.0}


@pytest.mark.parametrize("drop_status", [True, False])
def test_R5_without_its_status_the_result_is_watched(
    datarobot: DataRobot, simulator: DataRobotSimulator, drop_status: bool
) -> None:
    handle = datarobot.start(an_order("feature_impact"))
    if drop_status:
        datarobot.client.statuses.forget(handle["status"])
    else:
        found = datarobot.find(an_order("feature_impact"))
        assert found is not None
        assert "status" not in found
        handle = found
    assert datarobot.poll(handle).state is State.RUNNING
    simulator.clock.advance(60)
    assert datarobot.poll(handle).state is State.SUCCEEDED


def test_R5_a_result_of_other_rows_is_not_ours(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    datarobot.start(an_order("feature_impact"))
    simulator.clock.advance(60)
    assert datarobot.find(an_order("feature_impact", rowCount=20)) is None
    assert datarobot.find(an_order("feature_impact")) is not None


def test_R5_without_training_data_there_is_none(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    simulator.world.add_model("m", "v", trained=False)
    ids = {"customModelId": "m", "customModelVersionId": "v"}
    with pytest.raises(ProviderRejected, match="not assigned") as raised:
        datarobot.start(an_order("feature_impact", **ids))
    assert raised.value.http_status == 422
    assert datarobot.find(an_order("feature_impact", **ids)) is None


def test_R5_bounds_of_the_row_count() -> None:
    assert all(valid("feature_impact", rowCount=rows) for rows in (10, 100_000))
    assert not any(valid("feature_impact", rowCount=rows) for rows in (9, 100_001, 10.5, "10"))


# ---------------------------------------------------------------- R6: explanations


def test_R6_explanations_go_by_the_version_or_with_an_environment(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    for parameters in ({}, {"environmentId": "env"}):
        handle = datarobot.start(an_order("explain", **parameters))
        simulator.clock.advance(60)
        seen = datarobot.poll(handle)
        assert seen.state is State.SUCCEEDED
        assert seen.performance.artifacts["version"].endswith(f"/versions/{VERSION}")
    assert simulator.starts == {f"explain:{VERSION}": 2}


@pytest.mark.parametrize(
    "kind", ["feature_impact", "explain", "assign_training_data", "import_version"]
)
def test_R6_what_cannot_be_cancelled_or_logged_says_so(datarobot: DataRobot, kind: str) -> None:
    handle = datarobot.start(an_order(kind))
    with pytest.raises(NotSupported, match="DataRobot has no call to cancel"):
        datarobot.cancel(handle)
    with pytest.raises(NotSupported, match="no log"):
        datarobot.logs(handle, 5)
    assert not PROVIDER.cancels(kind)
