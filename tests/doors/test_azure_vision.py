"""Azure AI Vision's features (A1 to A10), each through the API of an embedded Trainbell."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.doors.conftest import Connect
from tests.doors.engines import Embedded, Service
from trainbell.client import ApiProblem
from trainbell.simulators.azure_vision.account import CLASSIFICATION_DATASET, DETECTION_DATASET
from trainbell.simulators.faults import Fault, FaultKind

TRAINING = {
    "model_name": "flowers-1",
    "model_kind": "Generic-Classifier",
    "training_dataset_name": CLASSIFICATION_DATASET,
    "time_budget_in_hours": 1,
}
DAY = 86_400


@pytest.fixture
def azure(connect: Connect) -> Service:
    return connect("azure_vision")


def a_training(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**TRAINING, **changes}.items() if value is not None}


def problems(azure: Service, kind: str = "train", **parameters: Any) -> list[str]:
    with pytest.raises(ApiProblem) as refused:
        azure.start(kind, parameters)
    assert refused.value.status == 422
    return sorted(each["path"].removeprefix("parameters.") for each in refused.value.errors)


@pytest.mark.feature("A1", does="start poll refuse")
def test_a_name_is_the_callers_and_taken_once(azure: Service) -> None:
    first = azure.run("train", TRAINING)
    assert first["handle"]["model"] == "flowers-1"
    again = azure.run("train", a_training(time_budget_in_hours=2))
    assert (again["state"], again["last_error"]["http_status"]) == ("failed", 409)
    for name in ("-m", "m:cancel", "mü", "x" * 256):
        assert problems(azure, **a_training(model_name=name)) == ["model_name"]
    assert azure.simulator.starts == {"flowers-1": 1}


@pytest.mark.feature("A1", does="start poll")
def test_a_start_whose_answer_was_lost_is_found_by_its_name(azure: Service) -> None:
    azure.simulator.faults.add(Fault(kind=FaultKind.DROPPED_AFTER, method="PUT"))
    job = azure.run("train", TRAINING)
    assert (job["state"], job["handle"]["model"]) == ("succeeded", "flowers-1")
    assert azure.simulator.starts == {"flowers-1": 1}


@pytest.mark.feature("A2", does="start poll refuse")
@pytest.mark.parametrize(
    ("kind", "dataset"),
    [
        ("Generic-Classifier", CLASSIFICATION_DATASET),
        ("Generic-Detector", DETECTION_DATASET),
        ("Product-Recognizer", DETECTION_DATASET),
    ],
)
def test_each_kind_of_model_is_trained(azure: Service, kind: str, dataset: str) -> None:
    job = azure.run("train", a_training(model_kind=kind, training_dataset_name=dataset))
    assert job["state"] == "succeeded"
    model = azure.ask("get_model", model="flowers-1")
    assert model["training_parameters"]["modelKind"] == kind
    assert problems(azure, **a_training(model_kind="Generic-Segmenter")) == ["model_kind"]


@pytest.mark.feature("A3", does="start poll refuse")
def test_a_training_of_56_days_is_watched_to_its_end(azure: Service, embedded: Embedded) -> None:
    """As many hours as a detector may have; one more, or as many for a classifier, is refused."""
    longest = a_training(
        model_kind="Generic-Detector",
        training_dataset_name=DETECTION_DATASET,
        time_budget_in_hours=1344,
    )
    azure.simulator.apply_settings({"plan": {"working_seconds": 55.9 * DAY}})
    job = azure.until(azure.start("train", longest), lambda seen: seen["state"] == "running")
    while not job["has_ended"]:
        embedded.pass_time(DAY)
        polls = job["polls"]
        job = azure.until(job, lambda seen, before=polls: seen["polls"] > before)  # type: ignore[misc]
    assert (job["state"], job["end_reason"]) == ("succeeded", "completed")
    assert job["duration_seconds"] > 55 * DAY
    assert problems(azure, **{**longest, "time_budget_in_hours": 1345}) == ["time_budget_in_hours"]
    assert problems(azure, **a_training(time_budget_in_hours=337)) == ["time_budget_in_hours"]


@pytest.mark.feature("A4", does="start poll ask")
def test_an_evaluation_is_a_job_of_its_own(azure: Service) -> None:
    training = azure.run("train", a_training(test_dataset_name=CLASSIFICATION_DATASET))
    assert training["state"] == "succeeded"
    asked = {"model_name": "flowers-1", "test_dataset_name": CLASSIFICATION_DATASET}
    seen = azure.watched(azure.start("evaluate", asked))
    words = [job["vendor_status"] for job in seen if job["vendor_status"]]
    assert list(dict.fromkeys(words)) == ["notStarted", "running", "succeeded"]
    assert seen[-1]["performance"]["metrics"]["accuracyTop1"]
    handle = seen[-1]["handle"]
    shown = azure.ask("get_evaluation", model="flowers-1", evaluation=handle["evaluation"])
    assert shown["status"] == "succeeded"


@pytest.mark.feature("A5", does="start poll")
def test_a_training_passes_through_its_states(azure: Service) -> None:
    seen = azure.watched(azure.start("train", TRAINING))
    words = [(job["vendor_status"], job["state"]) for job in seen if job["vendor_status"]]
    assert list(dict.fromkeys(words)) == [
        ("notStarted", "queued"),
        ("training", "running"),
        ("succeeded", "succeeded"),
    ]


@pytest.mark.feature("A6", does="start poll")
def test_performance_is_shown_whole_and_for_each_tag(azure: Service) -> None:
    classifier = azure.run("train", TRAINING)["performance"]
    assert set(classifier["metrics"]) == {
        "accuracyTop1",
        "accuracyTop5",
        "averagePrecision",
        "calibrationECE",
    }
    assert all("accuracy" in each for each in classifier["per_tag"].values())
    detector = azure.run(
        "train",
        a_training(
            model_name="cans",
            model_kind="Generic-Detector",
            training_dataset_name=DETECTION_DATASET,
        ),
    )["performance"]
    precisions = {f"meanAveragePrecision{share}" for share in (30, 50, 75)}
    assert set(detector["metrics"]) == {"averagePrecision", *precisions}
    assert detector["per_tag"]
    assert all("averagePrecision50" in each for each in detector["per_tag"].values())


@pytest.mark.feature("A7", does="start poll")
def test_the_cost_comes_with_the_end(azure: Service) -> None:
    azure.simulator.apply_settings({"plan": {"working_seconds": 150}})
    seen = azure.watched(azure.start("train", TRAINING, max_interval_seconds=60))
    assert {bool(job["performance"]["cost"]) for job in seen[:-1]} == {False}
    assert seen[-1]["performance"]["cost"] == {"training_minutes": 3}


@pytest.mark.feature("A8", does="start")
def test_a_refusal_is_kept_whole(azure: Service) -> None:
    job = azure.run("train", a_training(model_kind=None, time_budget_in_hours=337))
    error = job["error_details"]["error"]
    assert (job["state"], job["last_error"]["http_status"]) == ("failed", 400)
    assert job["last_error"]["vendor_code"] == error["code"] == "InvalidRequest"
    assert error["target"] == "trainingParameters.timeBudgetInHours"
    assert error["details"][0]["message"] == error["message"]
    assert error["innererror"]["innererror"]["code"] == "OutOfRange"


@pytest.mark.feature("A8", does="start poll")
def test_the_error_of_a_failed_training_is_kept_whole(azure: Service) -> None:
    error = {"code": "diverged", "message": "The loss is no number.", "target": "learningRate"}
    azure.simulator.apply_settings({"plan": {"error": error}})
    job = azure.run("train", TRAINING)
    assert (job["state"], job["message"]) == (
        "failed",
        "diverged: The loss is no number. (learningRate)",
    )
    assert job["error_details"] == error


@pytest.mark.feature("A9", does="start poll cancel")
def test_a_cancel_goes_through_cancelling_to_cancelled(azure: Service) -> None:
    azure.simulator.apply_settings({"plan": {"working_seconds": DAY}})
    job = azure.until(azure.start("train", TRAINING), lambda seen: seen["state"] == "running")
    assert azure.client.cancel(job["id"])["may_still_cost"]
    seen = azure.watched(job)
    words = list(dict.fromkeys(each["vendor_status"] for each in seen))
    assert words[-2:] == ["cancelling", "cancelled"]
    assert (seen[-1]["state"], seen[-1]["end_reason"]) == ("cancelled", "cancel_confirmed")
    assert not seen[-1]["may_still_cost"]


@pytest.mark.feature("A10", does="start ask delete")
def test_models_are_listed_shown_and_deleted_once_ended(azure: Service) -> None:
    azure.simulator.apply_settings({"plan": {"working_seconds": DAY}})
    running = azure.start("train", a_training(model_name="running"))
    azure.until(running, lambda seen: seen["state"] == "running")
    with pytest.raises(ApiProblem, match="only an ended one is deleted"):
        azure.ask("delete_model", model="running")
    azure.simulator.apply_settings({"plan": {"working_seconds": 1}})
    for number in range(32):  # One more than a page of the service has, and the running one.
        azure.start("train", a_training(model_name=f"small-{number}"))
    last = azure.run("train", a_training(model_name="small-32"))
    names = [each["name"] for each in azure.client.all_at_service(azure.name, "list_models")]
    assert sorted(names) == sorted(["running", *(f"small-{number}" for number in range(33))])
    azure.ask("delete_model", model="small-32")
    with pytest.raises(ApiProblem, match="small-32"):
        azure.ask("get_model", model="small-32")
    ended = datetime.fromisoformat(last["ended_at"])
    assert ended >= datetime.fromisoformat(last["started_at"])
