"""DataRobot's jobs (R1 to R8), through the API of an embedded Trainbell. Its models, versions and
access (R9 to R12) are gone through by command in tests/contract/test_datarobot_commands.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.doors.conftest import Connect
from tests.doors.engines import Service
from trainbell.client import ApiProblem
from trainbell.simulators.datarobot.world import (
    DATASET,
    ENVIRONMENT,
    MAIN_FILE,
    MODEL,
    REPOSITORY,
    VERSION,
)
from trainbell.simulators.faults import Fault, FaultKind

OF_VERSION = {"customModelId": MODEL, "customModelVersionId": VERSION}
TEST = {**OF_VERSION, "datasetId": DATASET}
LONG = {"plan": {"running_seconds": 86_400}}


@pytest.fixture
def datarobot(connect: Connect) -> Service:
    return connect("datarobot")


def world(datarobot: Service) -> Any:
    """As the service has it."""
    simulated: Any = datarobot.simulator
    return simulated.world


def running(datarobot: Service, kind: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    datarobot.simulator.apply_settings(LONG)
    job = datarobot.start(kind, parameters)
    return datarobot.until(job, lambda seen: seen["state"] == "running")


def cancelled(datarobot: Service, job: dict[str, Any]) -> dict[str, Any]:
    datarobot.client.cancel(job["id"])
    return datarobot.until(job, lambda seen: seen["has_ended"])


@pytest.mark.feature("R1", does="start poll refuse ask")
def test_each_check_of_a_model_test_has_its_status_and_message(datarobot: Service) -> None:
    trouble = {"sideEffects": "row 3 differs", "nullValueImputation": "cannot impute"}
    datarobot.simulator.apply_settings({"plan": {"trouble": trouble}})
    checks = {"sideEffects": "warn", "nullValueImputation": "fail", "errorCheck": "skip"}
    job = datarobot.run("test", {**TEST, "configuration": checks})
    assert (job["state"], job["vendor_status"]) == ("failed", "failed")
    assert job["message"] == (
        "nullValueImputation failed: cannot impute; sideEffects warning: row 3 differs"
    )
    assert job["performance"]["per_tag"] == {
        "longRunningService": {"succeeded": 1.0},
        "errorCheck": {"skipped": 1.0},
        "nullValueImputation": {"failed": 1.0},
        "sideEffects": {"warning": 1.0},
    }
    assert len(datarobot.ask("list_tests", customModelId=MODEL)["items"]) == 1
    with pytest.raises(ApiProblem) as wrong:
        datarobot.start("test", {**TEST, "configuration": {"longRunningService": "skip"}})
    assert "longRunningService" in wrong.value.errors[0]["path"]


@pytest.mark.feature("R2", does="start poll cancel logs ask")
def test_a_test_has_a_log_with_a_tail_and_is_cancelled(datarobot: Service) -> None:
    ended = datarobot.run("test", TEST)
    whole = datarobot.ask("test_log", customModelTestId=ended["handle"]["id"])["text"].splitlines()
    assert datarobot.client.logs(ended["id"], lines=2) == whole[-2:]
    for lines in (0, 1001):
        with pytest.raises(ApiProblem):
            datarobot.client.logs(ended["id"], lines=lines)
    end = cancelled(datarobot, running(datarobot, "test", TEST))
    assert (end["vendor_status"], end["state"]) == ("canceled", "cancelled")
    with pytest.raises(ApiProblem) as late:
        datarobot.client.cancel(end["id"])
    assert late.value.status == 409


@pytest.mark.feature("R3", does="start poll cancel logs")
def test_a_dependency_build_has_a_log_and_is_cancelled(datarobot: Service) -> None:
    datarobot.simulator.apply_settings({"plans": [{"queued_seconds": 3}]})
    seen = datarobot.watched(datarobot.start("build_dependencies", OF_VERSION))
    words = [job["vendor_status"] for job in seen if job["vendor_status"]]
    assert list(dict.fromkeys(words)) == ["submitted", "processing", "success"]
    assert datarobot.client.logs(seen[-1]["id"], lines=5)
    world(datarobot).models[MODEL].versions[0].build = None
    job = running(datarobot, "build_dependencies", OF_VERSION)
    assert cancelled(datarobot, job)["state"] == "cancelled"


@pytest.mark.feature("R4", does="start poll cancel ask")
def test_a_conversion_is_made_listed_and_stopped(datarobot: Service) -> None:
    asked = {**OF_VERSION, "mainProgramItemId": MAIN_FILE}
    made = datarobot.run("convert", asked)
    assert made["state"] == "succeeded"
    assert made["performance"]["artifacts"]
    assert cancelled(datarobot, running(datarobot, "convert", asked))["state"] == "cancelled"
    listed = datarobot.ask("list_conversions", **OF_VERSION)["items"]
    assert len(listed) == 2


@pytest.mark.feature("R5", does="start poll refuse ask")
def test_feature_impact_is_joined_where_it_is_submitted_already(datarobot: Service) -> None:
    datarobot.run("test", TEST)
    [test] = datarobot.ask("list_tests", customModelId=MODEL)["items"]
    # By somebody else, as far as Trainbell's jobs know.
    datarobot.ask("start_image_feature_impact", imageId=test["customModelImageId"], rowCount=10_000)
    asked = {**OF_VERSION, "rowCount": 10_000}
    job = datarobot.start("feature_impact", asked)
    datarobot.until(job, lambda seen: seen["handle"] is not None)
    twice = datarobot.run("feature_impact", asked)
    assert twice["end_reason"] == "already_watched"
    end = datarobot.until(job, lambda seen: seen["has_ended"])
    assert datarobot.simulator.starts[f"feature_impact:{VERSION}"] == 1
    assert end["performance"]["per_tag"]["tenure"] == {
        "impactNormalized": 1.0,
        "impactUnnormalized": 0.31,
    }
    assert datarobot.ask("get_feature_impact", **OF_VERSION)
    for count in (9, 100_001):
        with pytest.raises(ApiProblem):
            datarobot.start("feature_impact", {**OF_VERSION, "rowCount": count})


@pytest.mark.feature("R6", does="start poll")
@pytest.mark.parametrize("more", [{}, {"environmentId": ENVIRONMENT}])
def test_explanations_are_initialised(datarobot: Service, more: dict[str, str]) -> None:
    """By the version, or (deprecated) with an environment."""
    assert datarobot.run("explain", {**OF_VERSION, **more})["state"] == "succeeded"
    assert datarobot.simulator.starts == {f"explain:{VERSION}": 1}


@pytest.mark.feature("R7", does="start poll ask")
def test_training_data_is_assigned_to_the_model_and_to_its_versions(datarobot: Service) -> None:
    model = world(datarobot).models[MODEL]
    model.training_data = None
    asked = {"customModelId": MODEL, "datasetId": DATASET}
    of_model = datarobot.run("assign_training_data", {**asked, "route": "training_data"})
    assert of_model["state"] == "succeeded"
    assert datarobot.ask("get_model", customModelId=MODEL)["trainingDatasetId"] == DATASET
    model.given["isTrainingDataForVersionsPermanentlyEnabled"] = True
    for route in ("versions", "with_training_data"):
        job = datarobot.run("assign_training_data", {**asked, "route": route})
        assert job["state"] == "succeeded"
    datarobot.simulator.apply_settings({"plan": {"error": "target not in dataset"}})
    failed = datarobot.run("assign_training_data", asked)
    assert (failed["state"], failed["message"]) == ("failed", "target not in dataset")


@pytest.mark.feature("R7", does="start poll ask")
def test_a_version_is_imported_from_a_repository(datarobot: Service) -> None:
    asked = {"customModelId": MODEL, "repositoryId": REPOSITORY, "sourcePath": ["a.py", "b.py"]}
    assert datarobot.run("import_version", {**asked, "isMajorUpdate": True})["state"] == "succeeded"
    assert datarobot.run("import_version", {**asked, "fromLatest": True})["state"] == "succeeded"
    labels = [
        each["label"] for each in datarobot.ask("list_versions", customModelId=MODEL)["items"]
    ]
    assert "2.0" in labels
    assert len(labels) == 3


@pytest.mark.feature("R8", does="start poll ask")
@pytest.mark.parametrize(
    ("plan", "word", "state"),
    [
        ({}, "COMPLETED", "succeeded"),
        ({"error": "out of memory"}, "ERROR", "failed"),
        ({"ends": "ABORTED"}, "ABORTED", "cancelled"),
        ({"ends": "EXPIRED"}, "EXPIRED", "failed"),
    ],
)
def test_an_asynchronous_status_is_watched_to_its_end(
    datarobot: Service, plan: dict[str, Any], word: str, state: str
) -> None:
    datarobot.simulator.apply_settings({"plan": plan})
    job = datarobot.start("explain", OF_VERSION)
    running_job = datarobot.until(job, lambda seen: seen["state"] == "running")
    assert running_job["vendor_status"] == "RUNNING"
    assert datarobot.ask("list_statuses")["items"]
    ended = datarobot.until(running_job, lambda seen: seen["has_ended"])
    assert (ended["vendor_status"], ended["state"]) == (word, state)


@pytest.mark.feature("R8", does="start poll")
def test_a_start_whose_answer_was_lost_is_found_and_never_sent_again(datarobot: Service) -> None:
    datarobot.simulator.faults.add(Fault(kind=FaultKind.DROPPED_AFTER, method="POST"))
    job = datarobot.run("test", TEST)
    assert job["state"] == "succeeded"
    assert datarobot.simulator.starts == {f"test:{VERSION}": 1}
