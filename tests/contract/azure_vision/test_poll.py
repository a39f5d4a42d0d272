"""What a poll tells: states (A5), performance (A6), cost (A7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.builders import NOON
from tests.contract.azure_vision.service import an_order, answering, finish, polled, sample
from trainbell.domain.job import State
from trainbell.errors import (
    ProviderReplyInvalid,
)
from trainbell.providers.azure_vision.provider import AzureVision
from trainbell.providers.azure_vision.vendor_models import MAX_TAGS
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.azure_vision.account import DETECTION_DATASET
from trainbell.simulators.azure_vision.runs import Plan

# ---------------------------------------------------------------- A5: states


def test_A5_a_training_passes_through_its_states(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    simulator.account.plan = Plan(waiting_seconds=10, working_seconds=100)
    handle = azure.start(an_order())
    seen = [azure.poll(handle)]
    for seconds in (10, 100):
        simulator.clock.advance(seconds)
        seen.append(azure.poll(handle))
    assert [s.vendor_status for s in seen] == ["notStarted", "training", "succeeded"]
    assert [s.state for s in seen] == [State.QUEUED, State.RUNNING, State.SUCCEEDED]
    assert [s.ended_at for s in seen] == [None, None, NOON + timedelta(seconds=110)]
    assert [s.progress for s in seen] == [None] * 3


def test_A5_the_documented_example_reads_as_documented() -> None:
    seen = polled(sample("model_created"))
    assert (seen.vendor_status, seen.state, seen.ended_at) == ("notStarted", State.QUEUED, None)
    assert not seen.performance
    ended = polled(sample("model_classifier_succeeded"))
    assert ended.ended_at == datetime(2023, 1, 14, 3, 10, 5, 900_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2023-01-13T20:46:21.2101234Z", datetime(2023, 1, 13, 20, 46, 21, 210_123, tzinfo=UTC)),
        ("2023-01-13T20:46:21", datetime(2023, 1, 13, 20, 46, 21, tzinfo=UTC)),
        ("2023-01-13T21:46:21+01:00", datetime(2023, 1, 13, 20, 46, 21, tzinfo=UTC)),
        ("soon", None),
        ("0001-01-01T00:00:00+14:00", None),
        (None, None),
        (7, None),
    ],
)
def test_A5_times_are_read_with_their_zone_or_left_out(written: Any, read: datetime | None) -> None:
    document = {**sample("model_detector_succeeded"), "updatedDateTime": written}
    assert polled(document).ended_at == read


@pytest.mark.parametrize(
    "change", [{"status": None}, {"status": 3}, {"status": ""}, {"name": None}]
)
def test_A5_an_answer_without_a_readable_status_is_invalid(change: dict[str, Any]) -> None:
    with pytest.raises(ProviderReplyInvalid):
        polled({**sample("model_created"), **change})


# ---------------------------------------------------------------- A6: performance


def test_A6_performance_of_a_classifier_with_its_tags() -> None:
    performance = polled(sample("model_classifier_succeeded")).performance
    assert performance.metrics == {
        "accuracyTop1": 0.9375,
        "accuracyTop5": 0.9948,
        "averagePrecision": 0.9611,
        "calibrationECE": 0.0213,
    }
    assert performance.per_tag == {"daisy": {"accuracy": 0.95}, "rose": {"accuracy": 0.925}}


def test_A6_performance_of_a_detector_with_its_tags() -> None:
    performance = polled(sample("model_detector_succeeded")).performance
    assert performance.metrics == {
        "averagePrecision": 0.8102,
        "meanAveragePrecision30": 0.8815,
        "meanAveragePrecision50": 0.8433,
        "meanAveragePrecision75": 0.6207,
    }
    assert performance.per_tag["can"] == {"averagePrecision50": 0.8156}


def test_A6_performance_of_an_evaluation() -> None:
    handle = {"model": "model_name", "evaluation": "evaluation_name"}
    performance = polled(sample("evaluation_succeeded"), handle).performance
    assert performance.metrics["calibrationECE"] == 0.0254
    assert performance.per_tag["rose"] == {"accuracy": 0.9162}


@pytest.mark.parametrize("kind", ["Generic-Detector", "Product-Recognizer"])
def test_A6_the_simulated_detectors_have_every_documented_metric(
    azure: AzureVision, simulator: AzureVisionSimulator, kind: str
) -> None:
    handle = azure.start(an_order(model_kind=kind, training_dataset_name=DETECTION_DATASET))
    finish(simulator, handle)
    performance = azure.poll(handle).performance
    assert set(performance.metrics) == {
        "averagePrecision",
        "meanAveragePrecision30",
        "meanAveragePrecision50",
        "meanAveragePrecision75",
    }
    assert set(performance.per_tag) == {"bottle", "can", "gap"}


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 400, "true", '"0.5"', "[]"])
def test_A6_what_is_no_finite_number_is_left_out(number: str) -> None:
    body = (
        '{"name": "m", "status": "succeeded", "trainingCostInMinutes": NUMBER,'
        ' "modelPerformance": {"accuracyTop1": NUMBER, "accuracyTop5": 0.5,'
        ' "tagPerformance": {"a": {"accuracy": NUMBER}, "b": 3}}}'
    ).replace("NUMBER", number)
    performance = answering(content=body).poll({"model": "m"}).performance
    assert performance.metrics == {"accuracyTop5": 0.5}
    assert performance.per_tag == {"a": {}}
    assert performance.cost == {}


@pytest.mark.parametrize("performance", [None, [], "good", {"tagPerformance": 3}])
def test_A6_performance_of_another_shape_does_not_spoil_the_answer(performance: Any) -> None:
    document = {**sample("model_detector_succeeded"), "modelPerformance": performance}
    seen = polled(document)
    assert (seen.state, seen.performance.metrics) == (State.SUCCEEDED, {})


def test_A6_more_tags_than_the_service_can_have_are_refused() -> None:
    def document(tags: int) -> dict[str, Any]:
        by_tag = {f"tag {n}": {"accuracy": 0.5} for n in range(tags)}
        return {**sample("model_created"), "modelPerformance": {"tagPerformance": by_tag}}

    assert len(polled(document(MAX_TAGS)).performance.per_tag) == MAX_TAGS
    with pytest.raises(ProviderReplyInvalid, match=f"more than {MAX_TAGS} tags"):
        polled(document(MAX_TAGS + 1))


# ---------------------------------------------------------------- A7: cost


def test_A7_the_cost_is_there_once_the_training_is_complete(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    simulator.account.plan = Plan(waiting_seconds=60, working_seconds=90)
    handle = azure.start(an_order())
    simulator.clock.advance(149)
    assert azure.poll(handle).performance.cost == {}
    simulator.clock.advance(1)
    assert azure.poll(handle).performance.cost == {"training_minutes": 2}


def test_A7_a_failed_and_a_cancelled_training_have_their_cost_too(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    assert polled(sample("model_failed")).performance.cost == {"training_minutes": 3}
    simulator.account.plan = Plan(waiting_seconds=0, working_seconds=9e9, cancelling_seconds=60)
    handle = azure.start(an_order(time_budget_in_hours=336))
    simulator.clock.advance(3600)
    azure.cancel(handle)
    simulator.clock.advance(60)
    assert azure.poll(handle).performance.cost == {"training_minutes": 61}
