"""List by pages, get, and delete once ended (A10)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.azure_vision.service import (
    a_trained_model,
    an_evaluation,
    an_order,
    answering,
    finish,
    run_of,
    sample,
)
from trainbell.errors import (
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
)
from trainbell.providers.azure_vision.client import PAGE_SIZE
from trainbell.providers.azure_vision.parameters import (
    Target,
)
from trainbell.providers.azure_vision.provider import AzureVision
from trainbell.simulators.azure_vision import AzureVisionSimulator


def test_A10_the_list_is_read_page_after_page(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    names = [a_trained_model(simulator, f"model-{n}").name for n in range(65)]
    assert [model.name for model in azure.client.every_model()] == names
    assert [m.name for m in azure.client.models(skip=60, top=2).value] == names[60:62]
    assert len(azure.client.models().value) == PAGE_SIZE == 30
    for wrong in ({"top": 31}, {"top": 0}, {"skip": -1}):
        with pytest.raises(ProviderRejected, match="400"):
            azure.client.models(**wrong)


def test_A10_a_list_without_an_end_is_given_up() -> None:
    with pytest.raises(ProviderReplyInvalid, match="no end is in sight"):
        list(answering(json={"value": [sample("model_created")]}).client.every_model())


def test_A10_get_gives_the_model_as_the_service_has_it(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    handle = azure.start(an_order())
    model = azure.client.get(Target(handle["model"]))
    assert model.name == handle["model"]
    assert model.parameters()["trainingParameters"]["timeBudgetInHours"] == 100


@pytest.mark.parametrize("status", ["notStarted", "training", "cancelling", "rebalancing"])
def test_A10_nothing_is_deleted_before_its_end(
    azure: AzureVision, simulator: AzureVisionSimulator, status: str
) -> None:
    handle = azure.start(an_order())
    run = run_of(simulator, handle)
    run.plan = replace(run.plan, state=status)
    with pytest.raises(ProviderRejected, match=f"is {status}; only an ended one"):
        azure.delete(handle)
    assert simulator.requests["DELETE"] == 0
    with pytest.raises(ProviderRejected, match="Cancel its training first"):
        azure.client.delete(Target(handle["model"]))


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_A10_delete_works_in_every_end_state(
    azure: AzureVision, simulator: AzureVisionSimulator, status: str
) -> None:
    handle = azure.start(an_order())
    run = run_of(simulator, handle)
    run.plan = replace(run.plan, state=status)
    azure.delete(handle)
    for gone in (azure.poll, azure.delete):
        with pytest.raises(ProviderJobMissing):
            gone(handle)


def test_A10_an_evaluation_is_deleted_and_its_model_stays(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    a_trained_model(simulator)
    handle = azure.start(an_evaluation())
    with pytest.raises(ProviderRejected, match="only an ended one"):
        azure.delete(handle)
    finish(simulator, handle)
    azure.delete(handle)
    with pytest.raises(ProviderJobMissing):
        azure.poll(handle)
    assert azure.client.get(Target("trained")).status == "succeeded"
