"""Names of the caller's (A1) and model kinds (A2) at Azure AI Vision."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from tests.builders import NOON
from tests.contract.azure_vision.service import (
    JOB,
    OTHER_JOB,
    a_provider,
    an_evaluation,
    an_order,
    answering,
    run_of,
    sample,
)
from trainbell.errors import (
    ProviderAuthFailed,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.providers.azure_vision.parameters import (
    TrainParameters,
)
from trainbell.providers.azure_vision.provider import AzureVision
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.azure_vision.account import CLASSIFICATION_DATASET, DETECTION_DATASET
from trainbell.simulators.faults import Fault, FaultKind

NAMES = ["m", "7", "Model.1_a-b", "x" * 255, "a..b"]
NO_NAMES = ["", "-m", ".m", "_m", "m m", "m/n", "m:cancel", "mü", "m\n", "..", "x" * 256, 7]


# ---------------------------------------------------------------- A1: a name of the caller's


def test_A1_a_model_gets_the_name_that_the_caller_chose(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    handle = azure.start(an_order(model_name="Shelf.v1_a-b"))
    assert handle == {"model": "Shelf.v1_a-b", "created_at": "2026-03-02T12:00:00+00:00"}
    assert simulator.starts == {"Shelf.v1_a-b": 1}
    assert azure.find(an_order(model_name="Shelf.v1_a-b")) == handle


def test_A1_without_a_name_it_is_made_from_the_jobs_id(azure: AzureVision) -> None:
    assert azure.start(an_order())["model"] == f"trainbell-{JOB}"


@pytest.mark.parametrize("name", NAMES)
def test_A1_names_at_the_edge_of_the_pattern_are_taken(azure: AzureVision, name: str) -> None:
    assert azure.start(an_order(model_name=name))["model"] == name


@pytest.mark.parametrize("name", NO_NAMES)
def test_A1_names_outside_the_pattern_are_refused_before_anything_is_sent(
    azure: AzureVision, simulator: AzureVisionSimulator, name: Any
) -> None:
    for order in (an_order(model_name=name), an_evaluation(evaluation_name=name)):
        with pytest.raises(ProviderRejected, match="_name"):
            azure.start(order)
    assert not simulator.requests


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"training_dataset_name": DETECTION_DATASET}, "another trainingDatasetName"),
        ({"time_budget_in_hours": 99}, "another timeBudgetInHours"),
        ({"model_kind": "Product-Recognizer"}, "another modelKind"),
        ({"test_dataset_name": CLASSIFICATION_DATASET}, "another testDatasetName"),
        (
            {"training_dataset_name": "x", "time_budget_in_hours": 1},
            "another trainingDatasetName and another timeBudgetInHours",
        ),
    ],
)
def test_A1_a_name_that_exists_with_other_parameters_is_refused_and_never_adopted(
    azure: AzureVision, changes: dict[str, Any], why: str
) -> None:
    azure.start(an_order(OTHER_JOB, model_name="taken"))
    order = an_order(model_name="taken", **changes)
    with pytest.raises(ProviderRejected, match=f"exists .* already .*{why};") as raised:
        azure.start(order)
    assert raised.value.http_status == 409
    assert raised.value.vendor_code == "ModelAlreadyExists"
    assert azure.find(order) is None


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.DROPPED_AFTER])
def test_A1_a_start_sent_again_after_a_lost_answer_meets_409_and_adopts_its_own(
    azure: AzureVision, simulator: AzureVisionSimulator, kind: FaultKind
) -> None:
    order = replace(an_order(model_name="mine"), requested_at=NOON - timedelta(seconds=5))
    simulator.faults.add(Fault(kind=kind, method="PUT"))
    with pytest.raises(StartOutcomeUnknown):
        azure.start(order)
    handle = azure.start(order)
    assert handle == azure.find(order)
    assert simulator.starts == {"mine": 1}


def test_A1_an_equal_model_that_was_there_before_the_request_is_not_ours(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    azure.start(an_order(OTHER_JOB, model_name="taken"))
    late = replace(an_order(model_name="taken"), requested_at=NOON + timedelta(seconds=61))
    with pytest.raises(ProviderRejected, match="before this job was requested"):
        azure.start(late)
    assert azure.find(late) is None
    in_time = replace(late, requested_at=NOON + timedelta(seconds=60))
    assert azure.find(in_time) is not None
    assert simulator.starts == {"taken": 1}


def test_A1_a_name_of_trainbells_own_needs_no_clock_to_be_ours(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    simulator.clock.skew_seconds = -7200
    order = replace(an_order(), requested_at=NOON)
    assert azure.find(order) is None
    handle = azure.start(order)
    assert azure.find(order) == handle
    assert azure.start(order) == handle
    assert simulator.starts == {f"trainbell-{JOB}": 1}


def test_A1_a_model_that_somebody_has_evaluated_besides_is_not_ours(azure: AzureVision) -> None:
    evaluated = an_order(OTHER_JOB, model_name="taken", test_dataset_name=CLASSIFICATION_DATASET)
    azure.start(evaluated)
    assert azure.find(an_order(model_name="taken")) is None


def test_A1_a_kind_that_the_answer_leaves_out_does_not_make_it_foreign() -> None:
    """As in the documented example, whose answer has no modelKind."""
    document = sample("model_created")
    order = an_order(model_name="model_name", training_dataset_name="my_dataset_name")
    assert answering(json=document).find(order) is not None
    other = {**document, "trainingParameters": {"timeBudgetInHours": 100}}
    assert answering(json=other).find(order) is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, ProviderUnavailable),
        (429, ProviderThrottled),
        (401, ProviderAuthFailed),
        (200, ProviderReplyInvalid),
    ],
)
def test_A1_a_comparison_that_fails_is_neither_an_adoption_nor_a_refusal(
    status: int, error: type[Exception]
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            return httpx.Response(409, json=sample("name_taken_409"))
        return httpx.Response(status, text="?")

    with pytest.raises(error):
        a_provider(transport=httpx.MockTransport(handler)).start(an_order())


def test_A1_a_name_that_was_freed_while_it_was_looked_at_stays_refused() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            return httpx.Response(409, json=sample("name_taken_409"))
        return httpx.Response(404, json={"error": {"code": "ModelNotFound", "message": "gone"}})

    with pytest.raises(ProviderRejected, match="already exists"):
        a_provider(transport=httpx.MockTransport(handler)).start(an_order())


# ---------------------------------------------------------------- A2: model kinds


@pytest.mark.parametrize("kind", ["Generic-Classifier", "Generic-Detector", "Product-Recognizer"])
def test_A2_each_kind_is_sent_as_it_is_named(
    azure: AzureVision, simulator: AzureVisionSimulator, kind: str
) -> None:
    handle = azure.start(an_order(model_kind=kind))
    assert run_of(simulator, handle).given["trainingParameters"]["modelKind"] == kind


@pytest.mark.parametrize("kind", ["generic-classifier", "GenericDetector", "", 1])
def test_A2_any_other_kind_is_refused(kind: Any) -> None:
    with pytest.raises(ValidationError, match="model_kind"):
        TrainParameters.model_validate(an_order(model_kind=kind).parameters)


def test_A2_a_kind_may_be_left_out_as_in_the_documented_example(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    run = run_of(simulator, azure.start(an_order(model_kind=None)))
    assert run.given == {
        "trainingParameters": {
            "timeBudgetInHours": 100,
            "trainingDatasetName": CLASSIFICATION_DATASET,
        }
    }
