"""What a poll of Einstein tells: states (E5), statistics and curve (E6), recorded answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.builders import NOON
from tests.contract.einstein.service import a_replay, a_sample, an_order
from trainbell.domain.job import State
from trainbell.errors import (
    NotSupported,
    ProviderJobMissing,
    ProviderReplyInvalid,
    ProviderUnavailable,
)
from trainbell.providers.einstein import PROVIDER
from trainbell.providers.einstein.provider import Einstein
from trainbell.simulators.einstein import EinsteinSimulator
from trainbell.simulators.einstein.trainings import (
    DETECTION_DATASET,
    INTENT_DATASET,
    MULTI_LABEL_DATASET,
    Plan,
)
from trainbell.simulators.faults import Fault, FaultKind

# ---------------------------------------------------------------- E5: states


def test_E5_states_queue_position_and_progress(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    simulator.account.plan = Plan(queued_seconds=10, running_seconds=100)
    first = einstein.start(an_order())
    pass_time(1)
    handle = einstein.start(an_order("01second", datasetId=DETECTION_DATASET, epochs=10))
    assert einstein.poll(first).queue_position == 1
    seen = [einstein.poll(handle)]
    for seconds in (10, 50, 50):
        pass_time(seconds)
        seen.append(einstein.poll(handle))
    assert [s.vendor_status for s in seen] == ["QUEUED", "RUNNING", "RUNNING", "SUCCEEDED"]
    assert [s.progress for s in seen] == [0.0, 0.0, 0.5, 1.0]
    assert [s.queue_position for s in seen] == [2, None, None, None]
    assert [s.stage for s in seen] == [None, "epoch 0 of 10", "epoch 5 of 10", None]
    assert seen[-1].ended_at is not None
    assert (seen[-1].ended_at - NOON).total_seconds() == 111
    assert seen[-1].ended_at.utcoffset() == seen[-1].seen_at.utcoffset()


def test_E5_a_failed_training_says_why(einstein: Einstein, simulator: EinsteinSimulator) -> None:
    simulator.account.plan = Plan(failure="at least 100 examples per label", fails_at=0.25)
    handle = einstein.start(an_order())
    simulator.clock.advance(7)
    seen = einstein.poll(handle)
    assert (seen.state, seen.message) == (State.FAILED, "at least 100 examples per label")
    assert seen.progress == 0.25


@pytest.mark.parametrize(
    ("status", "state"), [("KILLED", State.CANCELLED), ("FAILED_WITH_RETRIES", State.FAILED)]
)
def test_E5_the_two_ends_that_only_the_openapi_document_names(
    einstein: Einstein, simulator: EinsteinSimulator, status: str, state: State
) -> None:
    handle = einstein.start(an_order())
    simulator.account.say(handle["id"], status)
    seen = einstein.poll(handle)
    assert (seen.vendor_status, seen.state) == (status, state)


# ---------------------------------------------------------------- E6: statistics and curve


def test_E6_statistics_metrics_and_learning_curve_of_an_image_model(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    simulator.account.plan = Plan(queued_seconds=1, running_seconds=100, stops_at_epoch=130)
    handle = einstein.start(an_order(epochs=200))
    pass_time(80)
    seen = einstein.poll(handle)
    end = seen.performance
    assert end.metrics["lastEpochDone"] == 130
    assert end.metrics["examples"] == 150
    assert (end.metrics["trainSplitSize"], end.metrics["testSplitSize"]) == (135, 15)
    assert 0 < end.metrics["testAccuracy"] <= 1
    assert set(end.per_tag) == {"Beaches", "Mountains"}
    assert set(end.per_tag["Beaches"]) == {"f1"}
    assert end.cost["total_seconds"] == pytest.approx(65)
    assert end.cost["training_seconds"] == pytest.approx(62.4)
    assert [point["epoch"] for point in end.curve] == list(range(1, 131))
    assert end.curve[-1]["testAccuracy"] == end.metrics["testAccuracy"]
    assert seen.message is not None
    assert seen.message.endswith("stopped early after epoch 130 of 200")


@pytest.mark.parametrize(
    ("dataset", "metric", "per_tag"),
    [
        (DETECTION_DATASET, "meanAveragePrecision", {"averagePrecision"}),
        (MULTI_LABEL_DATASET, "trainingLoss", {"testAccuracy", "trainingAccuracy"}),
        (INTENT_DATASET, "macroF1", {"f1", "precision", "recall"}),
    ],
)
def test_E6_every_kind_of_model_tells_its_worth(
    einstein: Einstein, simulator: EinsteinSimulator, dataset: int, metric: str, per_tag: set[str]
) -> None:
    service = simulator.account.datasets[dataset].service
    handle = einstein.start(an_order(service=service, datasetId=dataset))
    simulator.clock.advance(22)
    for as_text in (False, True):
        simulator.account.as_text = as_text
        end = einstein.poll(handle).performance
        assert end.metrics[metric] > 0
        assert all(set(values) == per_tag for values in end.per_tag.values())
        assert set(end.per_tag) == set(simulator.account.datasets[dataset].labels)
        assert len(end.curve) == 20
        assert metric in end.curve[-1]
        assert end.cost["total_seconds"] == 20


def test_E6_a_curve_of_a_thousand_epochs_is_read_in_pages(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    handle = einstein.start(an_order(epochs=1000))
    simulator.clock.advance(22)
    curve = einstein.poll(handle).performance.curve
    assert [point["epoch"] for point in curve] == list(range(1, 1001))
    assert simulator.requests["GET"] == 12


def test_E6_metrics_that_cannot_be_read_now_hold_the_end_back_for_a_while_only(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    handle = einstein.start(an_order())
    pass_time(22)
    simulator.faults.add(Fault(kind=FaultKind.ERROR, path="/models/", times=None))
    with pytest.raises(ProviderUnavailable):
        einstein.poll(handle)
    pass_time(900)
    end = einstein.poll(handle)
    assert end.state is State.SUCCEEDED
    assert end.performance.metrics["examples"] == 150
    assert not end.performance.curve


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.TOO_DEEP, FaultKind.NOT_UTF8])
def test_E6_metrics_that_nobody_can_read_cost_no_job_its_end(
    einstein: Einstein, simulator: EinsteinSimulator, kind: FaultKind
) -> None:
    handle = einstein.start(an_order())
    simulator.clock.advance(22)
    simulator.faults.add(Fault(kind=kind, path="/models/"))
    assert einstein.poll(handle).state is State.SUCCEEDED


# ---------------------------------------------------------------- the documented answers


def test_E6_a_real_answer_of_2017_reads_as_documented() -> None:
    """Its metrics are gone (404), which costs the job nothing."""
    sample = a_sample("training_succeeded")
    model_id = sample["modelId"]
    seen = a_replay(**{model_id: sample}).poll({"service": "language", "id": model_id})
    assert seen.state is State.SUCCEEDED
    assert seen.ended_at == datetime(2017, 8, 18, 21, 42, 23, tzinfo=UTC)
    assert seen.performance.cost["training_seconds"] == pytest.approx(145.646)
    assert seen.performance.cost["total_seconds"] == pytest.approx(148.577)
    assert seen.performance.metrics["examples"] == 150


def test_E3_train_params_as_text_in_a_real_answer_are_read() -> None:
    sample = a_sample("retrain_queued")
    model_id = sample["modelId"]
    seen = a_replay(**{model_id: sample}).poll({"service": "vision", "id": model_id})
    assert (seen.state, seen.queue_position, seen.progress) == (State.QUEUED, 1, 0.0)
    assert (
        seen.message == "image model Beach and Mountain Model on dataset 57 (trainSplitRatio 0.7)"
    )


@pytest.mark.parametrize(
    "odd",
    [
        {"trainStats": "{", "trainParams": "[]", "updatedAt": "soon", "datasetId": [57]},
        {"trainStats": [1], "progress": True, "queuePosition": "first", "epochs": "many"},
        {"progress": None, "updatedAt": 7, "name": None, "failureMsg": {}, "modelType": 3},
    ],
)
def test_E5_what_is_odd_in_an_answer_is_left_out(odd: dict[str, Any]) -> None:
    sample = {**a_sample("training_succeeded"), **odd}
    model_id = sample["modelId"]
    seen = a_replay(**{model_id: sample}).poll({"service": "language", "id": model_id})
    assert seen.state is State.SUCCEEDED


@pytest.mark.parametrize("odd", [{"status": None}, {"status": ""}, {"modelId": "../x"}])
def test_E5_an_answer_without_a_readable_status_or_id_is_invalid(odd: dict[str, Any]) -> None:
    sample = {**a_sample("training_succeeded"), **odd}
    with pytest.raises(ProviderReplyInvalid):
        a_replay(M1=sample).poll({"service": "language", "id": "M1"})


@pytest.mark.parametrize(
    "data", [None, {}, {"labels": 3}, {"labels": ["a"], "f1": "x"}, {"f1": [1]}]
)
def test_E6_metrics_of_another_shape_are_left_out(data: Any) -> None:
    sample = a_sample("training_succeeded")
    model_id = sample["modelId"]
    curve = {
        "data": [{"epoch": "one", "metricsData": data}, {"metricsData": {"testAccuracy": 0.5}}]
    }
    answers = {model_id: {**sample, "metricsData": data}, "lc": curve}
    end = a_replay(**answers).poll({"service": "language", "id": model_id}).performance
    assert end.metrics["examples"] == 150
    assert end.curve[1] == {"epoch": 2.0, "testAccuracy": 0.5}


# ---------------------------------------------------------------- what it lacks


def test_it_says_in_clear_words_what_the_service_cannot_do(einstein: Einstein) -> None:
    with pytest.raises(NotSupported, match="Einstein has no call to cancel a training"):
        einstein.cancel({"service": "vision", "id": "x"})
    with pytest.raises(NotSupported, match="learning curve"):
        einstein.logs({"service": "vision", "id": "x"}, 5)
    assert not PROVIDER.can_cancel


@pytest.mark.parametrize(
    "handle",
    [
        {},
        {"id": "M"},
        {"service": "speech", "id": "M"},
        {"service": "vision", "id": ""},
        {"service": "vision", "id": 7},
        {"service": "vision", "id": "M", "after": "noon"},
        {"service": "vision", "id": "M", "sent_at": 5},
    ],
)
def test_a_handle_without_a_model_is_of_no_job(einstein: Einstein, handle: dict[str, Any]) -> None:
    with pytest.raises(ProviderJobMissing):
        einstein.poll(handle)
