"""The time budget that a training may have (A3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.builders import NOON
from tests.contract.azure_vision.service import an_order
from trainbell.domain.job import State
from trainbell.errors import (
    ProviderRejected,
)
from trainbell.providers.azure_vision.parameters import (
    Target,
    TrainParameters,
)
from trainbell.providers.azure_vision.provider import AzureVision
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.azure_vision.runs import Plan

LONGEST = [
    ("Generic-Classifier", 336),
    ("Generic-Detector", 1344),
    ("Product-Recognizer", 336),
    (None, 1344),
]


@pytest.mark.parametrize(("kind", "longest"), LONGEST)
def test_A3_time_budget_at_the_edges_and_one_past(kind: str | None, longest: int) -> None:
    for hours in (1, longest):
        parameters = an_order(model_kind=kind, time_budget_in_hours=hours).parameters
        assert TrainParameters.model_validate(parameters).time_budget_in_hours == hours
    wrong: list[Any] = [0, longest + 1, -1, 1.5, "1", True]
    for value in wrong:
        parameters = an_order(model_kind=kind, time_budget_in_hours=value).parameters
        with pytest.raises(ValidationError, match="time_budget_in_hours"):
            TrainParameters.model_validate(parameters)


@pytest.mark.parametrize(("kind", "longest"), LONGEST[:3])
def test_A3_the_service_has_the_same_edges(azure: AzureVision, kind: str, longest: int) -> None:
    def body(hours: int) -> dict[str, Any]:
        order = an_order(model_kind=kind, time_budget_in_hours=1)
        wire = dict(TrainParameters.model_validate(order.parameters).wire())
        return {"trainingParameters": {**wire["trainingParameters"], "timeBudgetInHours": hours}}

    azure.client.create(Target("shortest"), body(1))
    azure.client.create(Target("longest"), body(longest))
    for hours in (0, longest + 1):
        with pytest.raises(ProviderRejected, match=f"from 1 to {longest}"):
            azure.client.create(Target("wrong"), body(hours))


def test_A3_all_problems_are_told_at_once() -> None:
    wrong = {
        "model_name": "-",
        "model_kind": "Generic-Classifier",
        "time_budget_in_hours": 337,
        "epochs": 3,
    }
    with pytest.raises(ValidationError) as raised:
        TrainParameters.model_validate(wrong)
    assert {problem["loc"][0] for problem in raised.value.errors()} == {
        "model_name",
        "training_dataset_name",
        "time_budget_in_hours",
        "epochs",
    }


def test_A3_the_schema_says_the_ranges_too() -> None:
    schema = TrainParameters.model_json_schema()
    budget = schema["properties"]["time_budget_in_hours"]
    assert (budget["minimum"], budget["maximum"]) == (1, 1344)
    assert schema["if"]["properties"]["model_kind"]["enum"] == [
        "Generic-Classifier",
        "Product-Recognizer",
    ]
    assert schema["then"]["properties"]["time_budget_in_hours"]["maximum"] == 336


def test_A3_a_training_of_56_days_is_watched_to_its_end(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    simulator.account.plan = Plan(waiting_seconds=0, working_seconds=1344 * 3600)
    handle = azure.start(an_order(model_kind="Generic-Detector", time_budget_in_hours=1344))
    simulator.clock.advance(1344 * 3600 - 1)
    assert azure.poll(handle).state is State.RUNNING
    simulator.clock.advance(1)
    end = azure.poll(handle)
    assert end.state is State.SUCCEEDED
    assert end.ended_at == NOON + timedelta(days=56)
    assert end.performance.cost == {"training_minutes": 80_640}


def test_A3_a_budget_that_does_not_suffice_fails_the_training(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    simulator.account.plan = Plan(waiting_seconds=0, working_seconds=3601)
    handle = azure.start(an_order(time_budget_in_hours=1))
    simulator.clock.advance(3600)
    end = azure.poll(handle)
    assert (end.state, end.vendor_code) == (State.FAILED, "notEnoughBudget")
