"""An evaluation is a job of its own (A4)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.contract.azure_vision.service import (
    OTHER_JOB,
    a_trained_model,
    an_evaluation,
    an_order,
    run_of,
)
from trainbell.domain.job import State
from trainbell.errors import (
    ProviderRejected,
)
from trainbell.providers.azure_vision import PROVIDER
from trainbell.providers.azure_vision.parameters import (
    EvaluateParameters,
)
from trainbell.providers.azure_vision.provider import AzureVision
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.azure_vision.account import CLASSIFICATION_DATASET, DETECTION_DATASET
from trainbell.simulators.azure_vision.runs import Plan


def test_A4_a_test_dataset_can_be_given_with_the_training(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    handle = azure.start(an_order(test_dataset_name=CLASSIFICATION_DATASET))
    assert run_of(simulator, handle).given["evaluationParameters"] == {
        "testDatasetName": CLASSIFICATION_DATASET
    }


def test_A4_an_evaluation_is_a_job_of_its_own_with_its_own_states(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    a_trained_model(simulator)
    simulator.account.plan = Plan(waiting_seconds=5, working_seconds=10)
    handle = azure.start(an_evaluation(evaluation_name="eval-1"))
    assert handle == {
        "model": "trained",
        "evaluation": "eval-1",
        "created_at": "2026-03-02T12:00:00+00:00",
    }
    seen = [azure.poll(handle)]
    for seconds in (5, 10):
        simulator.clock.advance(seconds)
        seen.append(azure.poll(handle))
    assert [s.vendor_status for s in seen] == ["notStarted", "running", "succeeded"]
    assert [s.state for s in seen] == [State.QUEUED, State.RUNNING, State.SUCCEEDED]
    assert seen[-1].performance.metrics["accuracyTop1"] == 0.93
    assert seen[-1].performance.cost == {}


def test_A4_an_evaluation_that_exists_is_compared_before_it_is_adopted(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    a_trained_model(simulator)
    azure.start(an_evaluation(OTHER_JOB, evaluation_name="eval-1"))
    other = an_evaluation(evaluation_name="eval-1", test_dataset_name=DETECTION_DATASET)
    with pytest.raises(ProviderRejected, match="another testDatasetName"):
        azure.start(other)
    assert azure.find(other) is None
    assert azure.find(an_evaluation(evaluation_name="eval-1")) is not None
    assert simulator.starts == {"trained/eval-1": 1}


@pytest.mark.parametrize(
    ("kind", "dataset", "code"),
    [
        ("Generic-Detector", CLASSIFICATION_DATASET, "incorrectModelKind"),
        ("Generic-Classifier", DETECTION_DATASET, "incorrectModelKind"),
        ("Generic-Classifier", "nowhere", "datasetNotFound"),
    ],
)
def test_A4_an_evaluation_fails_with_the_services_own_code(
    azure: AzureVision, simulator: AzureVisionSimulator, kind: str, dataset: str, code: str
) -> None:
    a_trained_model(simulator, kind=kind)
    handle = azure.start(an_evaluation(test_dataset_name=dataset))
    simulator.clock.advance(60)
    end = azure.poll(handle)
    assert (end.state, end.vendor_code) == (State.FAILED, code)


def test_A4_its_parameters_are_checked_all_at_once() -> None:
    with pytest.raises(ValidationError) as raised:
        EvaluateParameters.model_validate({"model_name": "-", "time_budget_in_hours": 1})
    assert {problem["loc"][0] for problem in raised.value.errors()} == {
        "model_name",
        "test_dataset_name",
        "time_budget_in_hours",
    }
    for name in ("x", "x" * 255):
        EvaluateParameters.model_validate({"model_name": "m", "test_dataset_name": name})
    wrong: list[Any] = ["", "x" * 256, None]
    for name in wrong:
        with pytest.raises(ValidationError, match="test_dataset_name"):
            EvaluateParameters.model_validate({"model_name": "m", "test_dataset_name": name})


def test_A4_dataset_and_model_of_the_parameters() -> None:
    assert PROVIDER.dataset_of
    assert PROVIDER.model_of
    assert PROVIDER.dataset_of(an_order().parameters) == CLASSIFICATION_DATASET
    assert PROVIDER.dataset_of({"model_name": "m", "test_dataset_name": "t"}) == "t"
    assert PROVIDER.model_of({"model_name": "m"}) == "m"
    assert PROVIDER.model_of(an_order().parameters) is None
    assert PROVIDER.dataset_of({"training_dataset_name": 7}) is None
