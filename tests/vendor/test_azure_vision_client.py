"""Microsoft's own client (0.0.6) takes the simulator for Azure AI Vision.

And Trainbell's provider reads what that client made, and the other way round.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.builders import FakeClock, a_connection
from tests.open_secrets import OpenSecrets
from tests.vendor.environments import python_with_client_of
from trainbell.domain.job import State
from trainbell.ports import Provider, StartOrder
from trainbell.providers.catalog import Catalog
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.azure_vision.account import CLASSIFICATION_DATASET
from trainbell.simulators.azure_vision.service import API_KEY
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.server import running
from trainbell.simulators.service import Answer, Request

pytestmark = [pytest.mark.vendor, pytest.mark.timeout(600)]

SCRIPT = Path(__file__).with_name("azure_vision_session.py")
BEGAN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
URI = "https://acme.blob.core.windows.net/images/train.json"


class Key(OpenSecrets):
    def read(self, reference: str) -> str:
        return API_KEY


@pytest.fixture(scope="module")
def vendor_python() -> Path:
    return python_with_client_of("azure_vision")


def a_session(python: Path, url: str) -> dict[str, Any]:
    """What the client saw at each step."""
    command = [str(python), str(SCRIPT), url, API_KEY]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    steps = json.loads(done.stdout)
    assert isinstance(steps, dict)
    return steps


def an_order(name: str, hours: int, **more: str) -> StartOrder:
    parameters = {
        "model_name": name,
        "model_kind": "Generic-Classifier",
        "training_dataset_name": "mine",
        "time_budget_in_hours": hours,
        **more,
    }
    return StartOrder(job_id="01vendor", kind="train", parameters=parameters)


@pytest.fixture(scope="module")
def simulator() -> AzureVisionSimulator:
    return AzureVisionSimulator(SimulatorClock(speed=0, start=BEGAN))


@pytest.fixture(scope="module")
def service(simulator: AzureVisionSimulator) -> Iterator[str]:
    with running(simulator) as url:
        yield url


@pytest.fixture(scope="module")
def provider(service: str) -> Iterator[Provider]:
    connection = a_connection(provider="azure_vision", base_url=service, secret="env:KEY")
    client = Catalog(Key(), FakeClock()).client(connection)
    yield client
    client.close()


@pytest.fixture(scope="module")
def seen(vendor_python: Path, service: str, provider: Provider) -> dict[str, Any]:
    provider.start(an_order("by-trainbell", 5, training_dataset_name=CLASSIFICATION_DATASET))
    return a_session(vendor_python, service)


def refused(status: int, code: str) -> dict[str, Any]:
    return {"status": status, "code": code, "header": code}


def training(hours: int, kind: str) -> dict[str, Any]:
    return {"training_dataset_name": "mine", "time_budget_in_hours": hours, "model_kind": kind}


CLASSIFIER = training(336, "Generic-Classifier")
# Of the documented metrics, those that tell a classifier from a detector.
PERFORMANCE = {"accuracyTop1": 0.93, "accuracyTop5": 0.99, "calibrationECE": 0.02}

EXPECTED: dict[str, Any] = {
    "dataset": {
        "name": "mine",
        "annotation_kind": "imageClassification",
        "authentication": {"kind": "managedIdentity", "sas_token": None},
    },
    "dataset again": refused(409, "DatasetAlreadyExists"),
    "dataset changed": {"annotation_file_uris": [URI, URI]},
    "dataset read": {"annotation_file_uris": [URI, URI]},
    "dataset without files": refused(400, "DatasetInvalidAnnotationUri"),
    "dataset with a signature": {"authentication": {"kind": "sas", "sas_token": "sv=1&sig=x"}},
    "train": {
        "name": "kept",
        "status": "notStarted",
        "training_params": CLASSIFIER,
        "evaluation_params": {"test_dataset_name": "mine"},
        "created_date_time": "2026-03-02T12:00:00.000Z",
        "training_cost_in_minutes": None,
        "error": None,
    },
    "train again": refused(409, "ModelAlreadyExists"),
    "delete too early": refused(400, "ModelNotInTerminalState"),
    "training": {"status": "training", "model_performance": None},
    "trained": {
        "status": "succeeded",
        "training_cost_in_minutes": 1,
        "updated_date_time": "2026-03-02T12:00:22.000Z",
        "model_performance": PERFORMANCE,
    },
    "cancel too late": refused(400, "ModelNotCancellable"),
    "too long": refused(400, "InvalidRequest"),
    "train a detector": {"training_params": training(1344, "Generic-Detector")},
    "no name": refused(400, "InvalidRequest"),
    "unknown": refused(404, "ModelNotFound"),
    "by trainbell": {
        "status": "succeeded",
        "training_params": {
            **training(5, "Generic-Classifier"),
            "training_dataset_name": CLASSIFICATION_DATASET,
        },
    },
    "train a recogniser": {"training_params": training(1, "Product-Recognizer")},
    "cancel": None,
    "cancelling": {"status": "cancelling"},
    "cancelled": {"status": "cancelled"},
    "delete": None,
    "deleted": refused(404, "ModelNotFound"),
    "failed": {
        "status": "failed",
        "error": {"code": "diverged", "message": "The run failed: diverged."},
    },
    "evaluate": {"name": "first", "model_name": "kept", "status": "notStarted"},
    "evaluate again": refused(409, "EvaluationAlreadyExists"),
    "evaluating": {"status": "running"},
    "evaluated": {"status": "succeeded", "model_performance": PERFORMANCE},
    "delete evaluation": None,
    "evaluation gone": refused(404, "EvaluationNotFound"),
    "wrong key": refused(401, "401"),
    "wrong version": refused(400, "InvalidRequest"),
    "delete dataset": None,
    "dataset gone": refused(404, "DatasetNotFound"),
}


@pytest.mark.parametrize("step", EXPECTED)
def test_A1_to_A10_each_step_reads_as_documented(seen: dict[str, Any], step: str) -> None:
    assert _only(seen[step], EXPECTED[step]) == EXPECTED[step]


def test_A1_each_name_was_started_once(
    seen: dict[str, Any], simulator: AzureVisionSimulator
) -> None:
    assert seen
    assert simulator.starts == {
        "by-trainbell": 1,
        "kept": 1,
        "detector": 1,
        "recogniser": 1,
        "b": 1,
        "kept/first": 1,
    }


def test_A5_A6_A7_trainbell_reads_what_the_client_trained(
    seen: dict[str, Any], provider: Provider
) -> None:
    read = provider.poll({"model": "kept", "created_at": seen["trained"]["created_date_time"]})
    assert read.state is State.SUCCEEDED
    told = seen["trained"]["model_performance"]
    assert {**read.performance.metrics, "tagPerformance": read.performance.per_tag} == told
    assert read.performance.cost == {
        "training_minutes": seen["trained"]["training_cost_in_minutes"]
    }


def test_A1_trainbell_adopts_an_equal_model_of_the_client_and_no_other(
    seen: dict[str, Any], provider: Provider
) -> None:
    assert seen
    assert provider.find(an_order("kept", 336, test_dataset_name="mine")) == {
        "model": "kept",
        "created_at": "2026-03-02T12:00:00+00:00",
    }
    assert provider.find(an_order("kept", 335, test_dataset_name="mine")) is None
    assert provider.find(an_order("kept", 336)) is None


class EmptyCancel(AzureVisionSimulator):
    """The documented 202 has no body, which the client cannot read."""

    def handle(self, request: Request) -> Answer:
        answer = super().handle(request)
        return replace(answer, body=b"") if answer.status == 202 else answer


class RepeatedPut(AzureVisionSimulator):
    """A name that exists is no conflict."""

    def handle(self, request: Request) -> Answer:
        answer = super().handle(request)
        return replace(answer, status=201) if answer.status == 409 else answer


class NoTimes(AzureVisionSimulator):
    """Answers lack the time of the last change."""

    def handle(self, request: Request) -> Answer:
        answer = super().handle(request)
        return replace(answer, body=answer.body.replace(b"updatedDateTime", b"updated"))


@pytest.mark.parametrize(
    ("broken", "steps"),
    [
        (EmptyCancel, {"cancel"}),
        (RepeatedPut, {"train again", "dataset again", "evaluate again"}),
        (NoTimes, {"train", "training", "trained", "evaluated", "dataset"}),
    ],
)
def test_a_rule_that_is_broken_on_purpose_is_noticed(
    vendor_python: Path, broken: type[AzureVisionSimulator], steps: set[str]
) -> None:
    with running(broken(SimulatorClock(speed=0, start=BEGAN))) as url:
        seen = a_session(vendor_python, url)
    wrong = {step for step in EXPECTED if _only(seen[step], EXPECTED[step]) != EXPECTED[step]}
    assert steps <= wrong


def _only(seen: Any, wanted: Any) -> Any:
    """Of what was seen, the members that are wanted."""
    if not isinstance(wanted, dict) or not isinstance(seen, dict):
        return seen
    return {name: _only(seen.get(name), part) for name, part in wanted.items()}
