"""What Azure AI Vision's tests hold: orders, a provider, models at the simulator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import httpx

from tests.builders import FakeClock, OneSecret, a_connection
from tests.inner_provider import inner
from trainbell.domain.job import State
from trainbell.domain.observation import Observation
from trainbell.ports import Handle, StartOrder
from trainbell.providers.azure_vision.provider import AzureVision
from trainbell.providers.catalog import Catalog
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.azure_vision.account import CLASSIFICATION_DATASET, DETECTION_DATASET
from trainbell.simulators.azure_vision.runs import Run
from trainbell.simulators.azure_vision.service import API_KEY

JOB = "01jobaaaaaaaaaaaaaaaaaaaaa"
OTHER_JOB = "01jobbbbbbbbbbbbbbbbbbbbbb"
LIVE_URL = "https://acme.cognitiveservices.azure.com/computervision"
TRAINING_WORDS: Mapping[str, State] = {
    "notStarted": State.QUEUED,
    "training": State.RUNNING,
    "cancelling": State.CANCELLING,
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
    "cancelled": State.CANCELLED,
}
"""`ModelState` of Models - Create, and what each means; never the provider's own table."""


EVALUATION_WORDS: Mapping[str, State] = {
    "notStarted": State.QUEUED,
    "running": State.RUNNING,
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
}
"""`EvaluationStatus` of Microsoft's Python client."""


def a_provider(
    base_url: str = LIVE_URL,
    secret: str = API_KEY,
    transport: httpx.BaseTransport | None = None,
) -> AzureVision:
    catalog = Catalog(OneSecret(secret), FakeClock(), transport=transport)
    connection = a_connection(
        name="azure", provider="azure_vision", base_url=base_url, secret="env:AZURE_KEY"
    )
    client = inner(catalog.client(connection))
    assert isinstance(client, AzureVision)
    return client


def an_order(job_id: str = JOB, **parameters: Any) -> StartOrder:
    given = {
        "training_dataset_name": CLASSIFICATION_DATASET,
        "model_kind": "Generic-Classifier",
        "time_budget_in_hours": 100,
        **parameters,
    }
    given = {name: value for name, value in given.items() if value is not None}
    return StartOrder(job_id=job_id, kind="train", parameters=given)


def an_evaluation(job_id: str = JOB, **parameters: Any) -> StartOrder:
    given = {"model_name": "trained", "test_dataset_name": CLASSIFICATION_DATASET, **parameters}
    return StartOrder(job_id=job_id, kind="evaluate", parameters=given)


def sample(name: str) -> dict[str, Any]:
    path = files("trainbell.providers.azure_vision") / "samples" / f"{name}.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def answering(status: int = 200, **answer: Any) -> AzureVision:
    """A provider whose service gives this answer to everything."""
    return a_provider(transport=httpx.MockTransport(lambda _: httpx.Response(status, **answer)))


def polled(document: dict[str, Any], handle: Handle | None = None) -> Observation:
    return answering(json=document).poll(handle or {"model": "model_name"})


def run_of(simulator: AzureVisionSimulator, handle: Handle) -> Run:
    if "evaluation" in handle:
        return simulator.account.evaluations[handle["model"], handle["evaluation"]]
    return simulator.account.models[handle["model"]]


def finish(simulator: AzureVisionSimulator, handle: Handle) -> None:
    run_of(simulator, handle).end(simulator.clock.now())


def a_trained_model(
    simulator: AzureVisionSimulator, name: str = "trained", kind: str = "Generic-Classifier"
) -> Run:
    detects = kind == "Generic-Detector"
    training = {
        "timeBudgetInHours": 1,
        "trainingDatasetName": DETECTION_DATASET if detects else CLASSIFICATION_DATASET,
        "modelKind": kind,
    }
    run = simulator.account.train(name, {"trainingParameters": training})
    run.end(simulator.clock.now())
    return run
