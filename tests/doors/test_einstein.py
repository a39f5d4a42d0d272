"""Einstein Vision and Language's features (E1 to E9), through the API of an embedded Trainbell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.doors.conftest import Connect
from tests.doors.engines import Embedded, Service
from trainbell.client import ApiProblem
from trainbell.simulators.einstein.trainings import (
    DETECTION_DATASET,
    GLOBAL_DATASET,
    IMAGE_DATASET,
    INTENT_DATASET,
)
from trainbell.simulators.faults import Fault, FaultKind

TRAINING = {"datasetId": IMAGE_DATASET, "name": "beach or mountain", "epochs": 3}
HOUR = 3600


@pytest.fixture
def einstein(connect: Connect) -> Service:
    return connect("einstein")


def a_retraining(model: str) -> dict[str, Any]:
    return {"modelId": model, "epochs": 3}


def account(einstein: Service) -> Any:
    """As the service has it."""
    simulated: Any = einstein.simulator
    return simulated.account


def problems(einstein: Service, kind: str = "train", **changes: Any) -> str:
    with pytest.raises(ApiProblem) as refused:
        einstein.start(kind, {**TRAINING, **changes})
    assert refused.value.status == 422
    return "; ".join(f"{each['path']} {each['message']}" for each in refused.value.errors)


@pytest.mark.feature("E1", does="start poll")
def test_a_retraining_keeps_the_models_id(einstein: Service) -> None:
    """And reads that show the former end for a while do not end it."""
    trained = einstein.run("train", TRAINING)
    model = trained["handle"]["id"]
    einstein.simulator.apply_settings({"stale_seconds": 30})
    seen = einstein.watched(einstein.start("retrain", a_retraining(model)))
    stale = [job for job in seen if job["vendor_status"] == "SUCCEEDED" and not job["has_ended"]]
    assert stale
    assert {job["state"] for job in stale} == {"queued"}
    assert (seen[-1]["state"], seen[-1]["handle"]["id"]) == ("succeeded", model)
    assert account(einstein).models[model].latest.number == 2


@pytest.mark.feature("E1", does="start poll")
def test_a_start_whose_answer_was_lost_is_found_by_its_marker(einstein: Service) -> None:
    einstein.simulator.faults.add(Fault(kind=FaultKind.DROPPED_AFTER, method="POST", path="/train"))
    job = einstein.run("train", TRAINING)
    assert job["state"] == "succeeded"
    assert einstein.simulator.starts == {f"trainbell:{job['id']}": 1}


@pytest.mark.feature("E2", does="start poll refuse")
def test_algorithm_epochs_and_learning_rate_are_sent_or_refused(einstein: Service) -> None:
    """What is refused is refused before anything is sent."""
    assert "epochs" in problems(einstein, epochs=1001)
    assert "epochs" in problems(einstein, epochs=0)
    assert "learningRate" in problems(einstein, learningRate=0.011)
    both = problems(
        einstein, algorithm="object-detection", learningRate=0.001, datasetId=DETECTION_DATASET
    )
    assert "learningRate: neither detection nor language trainings take one" in both
    assert not einstein.simulator.requests
    edge = einstein.run("train", {**TRAINING, "epochs": 1000, "learningRate": 0.01})
    run = account(einstein).models[edge["handle"]["id"]].latest
    assert (run.epochs, run.learning_rate) == (1000, 0.01)
    detection = {
        "name": "boxes",
        "datasetId": DETECTION_DATASET,
        "algorithm": "object-detection-v2",
    }
    assert einstein.run("train", detection)["state"] == "succeeded"
    intents = {"name": "i", "datasetId": INTENT_DATASET, "service": "language", "epochs": 5000}
    assert einstein.run("train", intents)["state"] == "succeeded"


@pytest.mark.feature("E3", does="start poll ask")
def test_train_params_come_back_with_the_job(einstein: Service) -> None:
    params = {"withFeedback": True, "trainSplitRatio": 0.75, "withGlobalDatasetId": GLOBAL_DATASET}
    job = einstein.run("train", {**TRAINING, "trainParams": params})
    assert job["parameters"]["trainParams"] == params
    shown = einstein.ask("get_model", model=job["handle"]["id"])
    assert params in (shown.get("trainParams"), shown.get("train_params")), shown


@pytest.mark.feature("E4", does="start poll")
def test_a_second_training_of_a_dataset_is_refused_or_waits(einstein: Service) -> None:
    """Whether the first is Trainbell's own, or somebody else's."""
    first = einstein.start("train", TRAINING)
    with pytest.raises(ApiProblem) as busy:
        einstein.start("train", TRAINING)
    assert busy.value.status == 409
    waiting = einstein.start("train", TRAINING, when_busy="wait")
    einstein.until(waiting, lambda seen: seen["state"] == "waiting")
    assert einstein.until(first, lambda seen: seen["has_ended"])["state"] == "succeeded"
    assert einstein.until(waiting, lambda seen: seen["has_ended"])["state"] == "succeeded"

    own = account(einstein)
    own.train(own.datasets[IMAGE_DATASET], "somebody else's", {})
    assert "is QUEUED" in einstein.run("train", TRAINING)["message"]
    assert einstein.run("train", TRAINING, when_busy="wait")["state"] == "succeeded"
    assert sum(einstein.simulator.starts.values()) == 3


@pytest.mark.feature("E5", does="start poll")
def test_a_training_passes_through_its_states(einstein: Service) -> None:
    own = account(einstein)
    own.train(own.datasets[DETECTION_DATASET], "somebody else's", {})
    seen = einstein.watched(einstein.start("train", TRAINING))
    words = [(job["vendor_status"], job["state"]) for job in seen if job["vendor_status"]]
    assert list(dict.fromkeys(words)) == [
        ("QUEUED", "queued"),
        ("RUNNING", "running"),
        ("SUCCEEDED", "succeeded"),
    ]
    assert {job["queue_position"] for job in seen if job["vendor_status"] == "QUEUED"} == {2}
    progress = [job["progress"] for job in seen if job["state"] == "running"]
    assert progress == sorted(progress)
    assert len(set(progress)) > 1


@pytest.mark.feature("E5", does="start poll")
@pytest.mark.parametrize(
    ("word", "state"),
    [("FAILED", "failed"), ("KILLED", "cancelled"), ("FAILED_WITH_RETRIES", "failed")],
)
def test_other_ends(einstein: Service, word: str, state: str) -> None:
    job = einstein.until(einstein.start("train", TRAINING), lambda seen: seen["state"] == "running")
    account(einstein).say(job["handle"]["id"], word)
    ended = einstein.until(job, lambda seen: seen["has_ended"])
    assert (ended["vendor_status"], ended["state"]) == (word, state)


@pytest.mark.feature("E6", does="start poll")
def test_statistics_and_learning_curve_come_with_the_end(einstein: Service) -> None:
    performance = einstein.run("train", {**TRAINING, "epochs": 60})["performance"]
    assert performance["metrics"]["lastEpochDone"] == 60
    assert 0 < performance["metrics"]["testAccuracy"] <= 1
    assert [each["epoch"] for each in performance["curve"]] == list(range(1, 61))
    assert performance["cost"]["total_seconds"] == 20


@pytest.mark.feature("E7", does="start poll ask delete")
def test_what_is_deleted_or_about_to_be_is_not_trained(
    einstein: Service, embedded: Embedded
) -> None:
    model = einstein.run("train", TRAINING)["handle"]["id"]
    spare = account(einstein).add_model(IMAGE_DATASET, "Old").id
    einstein.ask("delete_model", model=spare)
    gone = einstein.run("retrain", a_retraining(spare))
    assert (gone["state"], gone["handle"]) == ("failed", None)
    assert f"model {spare} does not exist" in gone["message"]
    dataset = account(einstein).datasets[IMAGE_DATASET]
    account(einstein).delete_dataset(dataset)
    dataset.gone_at += timedelta(hours=1)
    assert "DELETE_PENDING" in einstein.ask("get_dataset", dataset=IMAGE_DATASET).values()
    orders: list[tuple[str, dict[str, Any]]] = [
        ("train", TRAINING),
        ("retrain", a_retraining(model)),
    ]
    for kind, parameters in orders:
        job = einstein.run(kind, parameters)
        assert (job["state"], job["last_error"]["http_status"]) == ("failed", 400)
        assert "DELETE_PENDING" in job["message"]
    embedded.pass_time(HOUR + 10)
    for kind, parameters in orders:
        assert "may have been deleted" in einstein.run(kind, parameters)["message"]
    assert sum(einstein.simulator.starts.values()) == 1


@pytest.mark.feature("E8", does="start poll")
def test_tokens_of_a_minute_are_renewed_while_a_job_of_hours_is_watched(einstein: Service) -> None:
    einstein.simulator.apply_settings({"plan": {"running_seconds": 4 * HOUR}})
    job = einstein.run("train", TRAINING, min_interval_seconds=290, max_interval_seconds=290)
    assert job["state"] == "succeeded"
    simulated: Any = einstein.simulator
    assert simulated.tokens.issued > 10
    assert job["failed_polls_in_a_row"] == 0


@pytest.mark.feature("E9", does="start poll")
def test_a_start_is_a_multipart_form_with_any_text(einstein: Service) -> None:
    """The service takes nothing else; the name comes back as it was sent."""
    name = 'Küste "oder" Berg; \\ --boundary'
    job = einstein.run("train", {**TRAINING, "name": name})
    assert job["state"] == "succeeded"
    model = account(einstein).models[job["handle"]["id"]]
    assert model.name == f"{name} [trainbell:{job['id']}]"
