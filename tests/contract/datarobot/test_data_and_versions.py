"""Training data and versions from repositories at DataRobot (R7)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.datarobot.service import an_order, valid
from trainbell.domain.job import State
from trainbell.errors import (
    ProviderRejected,
)
from trainbell.providers.datarobot.provider import DataRobot
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.work import Plan
from trainbell.simulators.datarobot.world import (
    DATASET,
    DELETED_DATASET,
    MODEL,
)


@pytest.mark.parametrize("route", ["versions", "with_training_data"])
def test_R7_training_data_at_a_new_version(
    datarobot: DataRobot, simulator: DataRobotSimulator, route: str
) -> None:
    model = simulator.world.models[MODEL]
    model.given["isTrainingDataForVersionsPermanentlyEnabled"] = True
    holdout = {"partitionColumn": "fold"}
    handle = datarobot.start(an_order("assign_training_data", route=route, holdoutData=holdout))
    assert datarobot.poll(handle).state in (State.QUEUED, State.RUNNING)
    simulator.clock.advance(60)
    assert datarobot.poll(handle).state is State.SUCCEEDED
    assert model.versions[-1].label == "1.1"
    assert model.versions[-1].holdout_data == holdout
    order = an_order("assign_training_data", route=route, holdoutData=holdout)
    assert datarobot.find(order) == handle


def test_R7_an_assignment_error_is_the_message(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    simulator.world.models[MODEL].given["isTrainingDataForVersionsPermanentlyEnabled"] = True
    simulator.world.plan = Plan(error="target not in dataset")
    handle = datarobot.start(an_order("assign_training_data", route="versions"))
    simulator.clock.advance(60)
    seen = datarobot.poll(handle)
    assert (seen.state, seen.message) == (State.FAILED, "target not in dataset")


def test_R7_training_data_at_the_model(datarobot: DataRobot, simulator: DataRobotSimulator) -> None:
    model = simulator.world.models[MODEL]
    model.training_data = None
    handle = datarobot.start(an_order("assign_training_data", partitionColumn="fold"))
    assert model.training_data is None
    simulator.clock.advance(60)
    assert datarobot.poll(handle).state is State.SUCCEEDED
    assert datarobot.client.models.get(MODEL).training_dataset_id == DATASET


@pytest.mark.parametrize(
    ("enabled", "change", "status"),
    [
        (True, {"route": "training_data"}, 422),
        (False, {"route": "with_training_data"}, 422),
        (False, {"route": "versions"}, 422),
        (False, {"route": "training_data", "datasetId": DELETED_DATASET}, 410),
        (True, {"route": "with_training_data", "datasetId": DELETED_DATASET}, 410),
    ],
)
def test_R7_refused_assignments(
    datarobot: DataRobot,
    simulator: DataRobotSimulator,
    enabled: bool,
    change: dict[str, Any],
    status: int,
) -> None:
    given = simulator.world.models[MODEL].given
    given["isTrainingDataForVersionsPermanentlyEnabled"] = enabled
    with pytest.raises(ProviderRejected) as raised:
        datarobot.start(an_order("assign_training_data", **change))
    assert raised.value.http_status == status


def test_R7_a_deployed_model_keeps_its_training_data(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    simulator.world.models[MODEL].deployments = 1
    with pytest.raises(ProviderRejected) as raised:
        datarobot.start(an_order("assign_training_data"))
    assert raised.value.http_status == 409


@pytest.mark.parametrize("from_latest", [True, False])
def test_R7_a_version_from_a_repository(
    datarobot: DataRobot, simulator: DataRobotSimulator, from_latest: bool
) -> None:
    handle = datarobot.start(
        an_order(
            "import_version",
            sourcePath=["a.py", "b.py"],
            fromLatest=from_latest,
            isMajorUpdate=True,
        )
    )
    simulator.clock.advance(60)
    assert datarobot.poll(handle).state is State.SUCCEEDED
    made = simulator.world.models[MODEL].versions[-1]
    assert made.label == "2.0"
    assert sorted(made.files) == sorted((["main.py"] if from_latest else []) + ["a.py", "b.py"])


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("assign_training_data", {"datasetName": "n" * 255}, {"datasetName": "n" * 256}),
        ("assign_training_data", {"partitionColumn": "c" * 500}, {"partitionColumn": "c" * 501}),
        ("assign_training_data", {}, {"holdoutData": {"partitionColumn": "c"}}),
        ("assign_training_data", {}, {"isMajorUpdate": True}),
        (
            "assign_training_data",
            {"route": "versions", "holdoutData": {"datasetName": "n" * 255}},
            {"route": "versions", "holdoutData": {"datasetName": "n" * 256}},
        ),
        ("assign_training_data", {"route": "versions"}, {"route": "nowhere"}),
        ("assign_training_data", {}, {"route": "versions", "partitionColumn": "c"}),
        (
            "import_version",
            {"requiredMetadataValues": [{"fieldName": "A", "value": "v" * 100}]},
            {"requiredMetadataValues": [{"fieldName": "A", "value": "v" * 101}]},
        ),
        ("import_version", {"sourcePath": ["a"] * 1000}, {"sourcePath": ["a"] * 1001}),
        ("convert", {"mainProgramItemId": "a"}, {"mainProgramItemId": ""}),
    ],
)
def test_R7_bounds_of_the_other_kinds(kind: str, good: dict[str, Any], bad: dict[str, Any]) -> None:
    assert valid(kind, **good)
    assert not valid(kind, **bad)
