"""A connection to Azure AI Vision, and the handles that it takes."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.builders import FakeClock, OneSecret, a_connection
from tests.contract.azure_vision.service import (
    JOB,
    LIVE_URL,
    a_provider,
    a_trained_model,
    an_order,
    sample,
)
from trainbell.domain.job import State
from trainbell.errors import (
    ConfigInvalid,
    ProviderJobMissing,
    ProviderRejected,
)
from trainbell.ports import Handle, StartOrder
from trainbell.providers.azure_vision.provider import AzureVision
from trainbell.providers.catalog import Catalog
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.azure_vision.account import CLASSIFICATION_DATASET
from trainbell.simulators.azure_vision.service import API_KEY


def test_a_check_says_whether_there_are_models(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    assert azure.check() == "Azure AI Vision answered: this account has no model yet"
    a_trained_model(simulator)
    assert azure.check() == "Azure AI Vision answered: this account has models"


@pytest.mark.parametrize(
    "base_url",
    [
        "https://acme.cognitiveservices.azure.com",
        "https://acme.cognitiveservices.azure.com/",
        "https://acme.cognitiveservices.azure.com/computervision",
        "https://acme.cognitiveservices.azure.com/computervision/",
    ],
)
def test_the_endpoint_is_taken_as_the_portal_shows_it(base_url: str) -> None:
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(201, json=sample("model_created"))

    provider = a_provider(base_url, transport=httpx.MockTransport(handler))
    provider.start(an_order(model_name="model_name", test_dataset_name="my_test"))
    assert str(sent[0].url) == f"{LIVE_URL}/models/model_name?api-version=2023-04-01-preview"
    assert sent[0].headers["Ocp-Apim-Subscription-Key"] == API_KEY
    assert "Authorization" not in sent[0].headers
    assert json.loads(sent[0].content) == {
        "trainingParameters": {
            "trainingDatasetName": CLASSIFICATION_DATASET,
            "timeBudgetInHours": 100,
            "modelKind": "Generic-Classifier",
        },
        "evaluationParameters": {"testDatasetName": "my_test"},
    }


def test_a_connection_needs_its_own_base_url() -> None:
    catalog = Catalog(OneSecret(API_KEY), FakeClock())
    with pytest.raises(ConfigInvalid, match="base URL"):
        catalog.client(a_connection(provider="azure_vision", base_url=None))


def test_a_kind_that_it_does_not_have_is_refused(azure: AzureVision) -> None:
    with pytest.raises(ProviderRejected, match="no jobs of kind 'test'"):
        azure.start(StartOrder(job_id=JOB, kind="test", parameters={}))


@pytest.mark.parametrize(
    "handle", [{}, {"model": ""}, {"model": 7}, {"model": ".."}, {"model": "m", "evaluation": ""}]
)
def test_a_handle_without_a_name_is_of_no_job(azure: AzureVision, handle: Handle) -> None:
    with pytest.raises(ProviderJobMissing):
        azure.poll(handle)


def test_a_job_adopted_by_its_name_alone_is_watched(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    a_trained_model(simulator)
    assert azure.poll({"model": "trained"}).state is State.SUCCEEDED
