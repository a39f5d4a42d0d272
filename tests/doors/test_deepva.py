"""DeepVA's features (D1 to D7), each through the API of an embedded Trainbell."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.doors.conftest import Connect
from tests.doors.engines import Service
from trainbell.client import ApiProblem
from trainbell.simulators.deepva.trainings import FACE_DATASET, LANDMARK_DATASET
from trainbell.simulators.faults import Fault, FaultKind

TRAINING = {"source_dataset_id": FACE_DATASET, "output_model_name": "faces"}


@pytest.fixture
def deepva(connect: Connect) -> Service:
    return connect("deepva")


def of_job(deepva: Service, job: dict[str, Any]) -> dict[str, Any]:
    return deepva.ask("get_training", **job["handle"])


@pytest.mark.feature("D1", "D6", does="start poll ask delete")
def test_trainings_are_started_shown_listed_and_deleted(deepva: Service) -> None:
    jobs = [deepva.start("train", TRAINING) for _ in range(3)]
    ended = [deepva.until(job, lambda seen: seen["has_ended"]) for job in jobs]
    ids = {job["handle"]["id"] for job in ended}
    listed = deepva.client.all_at_service(deepva.name, "list_trainings", limit=2)
    assert {each["id"] for each in listed} == ids
    dataset = of_job(deepva, ended[0])["source_dataset"]
    assert (dataset["id"], dataset["type"]) == (FACE_DATASET, "face")
    assert dataset["number_of_images"] == 200
    deepva.ask("delete_training", **ended[0]["handle"])
    with pytest.raises(ApiProblem, match="404"):
        of_job(deepva, ended[0])
    assert len(deepva.ask("list_trainings")["items"]) == 2


@pytest.mark.feature("D2", does="start poll refuse")
def test_the_config_is_of_the_datasets_type(deepva: Service) -> None:
    config = {"min_face_size": 100, "sharpness_threshold": 0}
    job = deepva.run("train", {**TRAINING, "config": config})
    assert of_job(deepva, job)["config"] == config
    landmark = {**TRAINING, "source_dataset_id": LANDMARK_DATASET}
    assert deepva.run("train", landmark)["state"] == "succeeded"
    refused = deepva.run("train", {**landmark, "config": config})
    assert (refused["state"], refused["last_error"]["http_status"]) == ("failed", 400)
    with pytest.raises(ApiProblem) as wrong:
        deepva.start("train", {**TRAINING, "config": {"min_face_size": 0, "blur": 1}})
    assert sorted(each["path"] for each in wrong.value.errors) == [
        "parameters.config.blur",
        "parameters.config.min_face_size",
    ]


@pytest.mark.feature("D3", does="start poll ask")
def test_each_training_adds_a_version_to_its_model(deepva: Service) -> None:
    given = {**TRAINING, "output_model_description": "of the night shift"}
    seen = []
    for changelog in ("first", "more faces"):
        job = deepva.start("train", {**given, "output_model_changelog": changelog})
        running = deepva.until(job, lambda each: each["state"] == "running")
        assert of_job(deepva, running)["output_model"] is None
        seen.append(deepva.until(job, lambda each: each["has_ended"]))
    first, second = (of_job(deepva, job)["output_model"] for job in seen)
    assert (first["id"], first["name"]) == (second["id"], "faces")
    simulated: Any = deepva.simulator
    [versions] = simulated.account.versions.values()
    texts = [each["changelog"].partition("] ")[2] for each in versions]
    assert sorted(texts) == ["first", "more faces"]


@pytest.mark.feature("D4", does="start poll")
def test_a_training_passes_through_its_states(deepva: Service) -> None:
    deepva.simulator.apply_settings({"plans": [{}, {"error": "No face was found."}]})
    for word, state in (("completed", "succeeded"), ("failed", "failed")):
        seen = deepva.watched(deepva.start("train", TRAINING))
        words = [(job["vendor_status"], job["state"]) for job in seen if job["vendor_status"]]
        assert list(dict.fromkeys(words)) == [
            ("waiting", "queued"),
            ("processing", "running"),
            (word, state),
        ]
    assert "No face was found." in seen[-1]["message"]


@pytest.mark.feature("D5", does="start poll")
def test_progress_duration_and_times_are_shown(deepva: Service) -> None:
    seen = deepva.watched(deepva.start("train", TRAINING))
    progress = [job["progress"] for job in seen if job["state"] == "running"]
    assert progress == sorted(progress)
    assert len(set(progress)) > 2
    end = seen[-1]
    assert (end["progress"], end["performance"]["cost"]) == (1.0, {"service_seconds": 20})
    started, ended = (datetime.fromisoformat(end[name]) for name in ("started_at", "ended_at"))
    # The service's times have no zone.
    assert (started.tzinfo, ended.tzinfo) == (UTC, UTC)
    assert (ended - started).total_seconds() == 20


@pytest.mark.feature("D7", does="start poll")
def test_a_start_whose_answer_was_lost_is_found_by_its_marker(deepva: Service) -> None:
    """The service would train twice."""
    deepva.simulator.faults.add(Fault(kind=FaultKind.DROPPED_AFTER, method="POST"))
    job = deepva.run("train", TRAINING)
    assert job["state"] == "succeeded"
    assert deepva.simulator.starts == {f"trainbell:{job['id']}": 1}
    assert len(deepva.ask("list_trainings")["items"]) == 1
