"""The client that the vendor's guide names (EinsteinVision 0.9) takes the simulator for Einstein.

And Trainbell's provider reads what that client made, and the other way round.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.builders import FakeClock, a_connection
from tests.open_secrets import OpenSecrets
from tests.vendor.environments import python_with_client_of
from trainbell.domain.job import State
from trainbell.ports import Handle, Provider, StartOrder
from trainbell.providers.catalog import Catalog
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.einstein import EinsteinSimulator
from trainbell.simulators.einstein.account_key import ACCOUNT, PRIVATE_KEY
from trainbell.simulators.einstein.trainings import IMAGE_DATASET
from trainbell.simulators.server import running
from trainbell.simulators.service import Answer, Request

pytestmark = [pytest.mark.vendor, pytest.mark.timeout(600)]

SCRIPT = Path(__file__).with_name("einstein_session.py")
BEGAN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Key(OpenSecrets):
    def read(self, reference: str) -> str:
        return PRIVATE_KEY


@dataclass(frozen=True)
class Vendor:
    """The interpreter of the client's own environment, and the two keys it is given."""

    python: Path
    key: Path
    other_key: Path

    def session(self, url: str) -> dict[str, Any]:
        """What the client saw at each step."""
        command = [str(self.python), str(SCRIPT), url, ACCOUNT, str(self.key), str(self.other_key)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr[-2000:]
        steps = json.loads(done.stdout)
        assert isinstance(steps, dict)
        return steps


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    python = python_with_client_of("einstein")
    keys = tmp_path_factory.mktemp("keys")
    (keys / "key.pem").write_text(PRIVATE_KEY)
    (keys / "other.pem").write_bytes(
        rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return Vendor(python, keys / "key.pem", keys / "other.pem")


@pytest.fixture(scope="module")
def simulator() -> EinsteinSimulator:
    return EinsteinSimulator(SimulatorClock(speed=0, start=BEGAN))


@pytest.fixture(scope="module")
def service(simulator: EinsteinSimulator) -> Iterator[str]:
    with running(simulator) as url:
        yield url


@pytest.fixture(scope="module")
def provider(service: str) -> Iterator[Provider]:
    connection = a_connection(provider="einstein", base_url=service, options={"account": ACCOUNT})
    client = Catalog(Key(), FakeClock()).client(connection)
    yield client
    client.close()


@pytest.fixture(scope="module")
def by_trainbell(provider: Provider) -> Handle:
    parameters = {"datasetId": IMAGE_DATASET, "name": "By Trainbell"}
    return provider.start(StartOrder(job_id="01vendor", kind="train", parameters=parameters))


@pytest.fixture(scope="module")
def seen(vendor: Vendor, service: str, by_trainbell: Handle) -> dict[str, Any]:
    return vendor.session(service)


def answered(code: int, /, **told: Any) -> dict[str, Any]:
    return {"code": code, "told": told}


TRAINED = {"labels": 2, "examples": 150, "trainSplitSize": 135, "testSplitSize": 15}

EXPECTED: dict[str, Any] = {
    "wrong key": answered(400),
    "token": answered(200, token_type="Bearer", expires_in="60"),
    "upload": answered(200, name="mountainvsbeach.zip", type="image", statusMsg="SUCCEEDED"),
    "datasets": answered(200, object="list"),
    "train": answered(
        200, status="QUEUED", queuePosition=2, progress=0, name="Beaches", trainStats=None,
        createdAt="2026-03-02T12:00:00.000+0000", object="training", language="N/A",
    ),
    "train again": answered(400),
    "queued": answered(200, status="QUEUED", lastEpochDone=0),
    "running": answered(200, status="RUNNING", progress=0.5, lastEpochDone=10),
    "succeeded": answered(
        200, status="SUCCEEDED", progress=1, trainStats=TRAINED,
        updatedAt="2026-03-02T12:00:22.000+0000",
    ),
    "metrics": answered(200, object="metrics", metricsData={"labels": ["first", "second"]}),
    "models": answered(200, object="list"),
    "retrain": answered(200, status="QUEUED", epochs=5),
    "retrain again": answered(400),
    "retrained": answered(200, status="SUCCEEDED", epochs=5),
    "expired": answered(200, status="SUCCEEDED"),
    "new token": answered(200, token_type="Bearer"),
    "usage": answered(200, object="list"),
    "delete": answered(201, type="MODEL", status="QUEUED", object="deletion"),
    "deleted": answered(404),
    "retrain deleted": answered(400),
    "no such dataset": answered(400),
    "long name": answered(400),
    "delete dataset": answered(200, type="DATASET", status="QUEUED"),
    "pending": answered(400),
    "upload texts": answered(200, type="text-intent", language="en_US"),
    "train texts": answered(200, status="QUEUED", modelType="text-intent", algorithm="intent"),
    "failed": answered(200, status="FAILED", failureMsg="too few examples", progress=0.5),
}  # fmt: skip


@pytest.mark.parametrize("step", EXPECTED)
def test_E1_to_E9_each_step_reads_as_documented(seen: dict[str, Any], step: str) -> None:
    assert _only(seen[step], EXPECTED[step]) == EXPECTED[step]


def test_E1_each_start_was_counted_once(seen: dict[str, Any], simulator: EinsteinSimulator) -> None:
    model_id = seen["train"]["told"]["modelId"]
    assert simulator.starts == {
        "trainbell:01vendor": 1,
        "Beaches": 1,
        f"retrain:{model_id}": 1,
        "Routing": 1,
    }


def test_E5_E6_trainbell_reads_what_the_client_trained(
    seen: dict[str, Any], provider: Provider
) -> None:
    handle = {"service": "language", "id": seen["train texts"]["told"]["modelId"]}
    read = provider.poll(handle)
    assert (read.state, read.message) == (State.FAILED, "too few examples")
    assert read.performance.metrics["lastEpochDone"] == 10


def test_E1_the_client_sees_what_trainbell_started(
    seen: dict[str, Any], by_trainbell: Handle, provider: Provider
) -> None:
    assert provider.poll(by_trainbell).state is State.SUCCEEDED
    assert seen["train"]["told"]["queuePosition"] == 2


class Longer(EinsteinSimulator):
    """A token's life is a number and called otherwise."""

    def handle(self, request: Request) -> Answer:
        answer = super().handle(request)
        return replace(answer, body=answer.body.replace(b"expires_in", b"valid_for"))


class Lax(EinsteinSimulator):
    """Whatever it refuses looks like a success."""

    def handle(self, request: Request) -> Answer:
        answer = super().handle(request)
        refused = answer.status == 400 and "oauth2" not in request.path
        return replace(answer, status=200) if refused else answer


class NoTimes(EinsteinSimulator):
    """Answers lack the time of the last change."""

    def handle(self, request: Request) -> Answer:
        answer = super().handle(request)
        return replace(answer, body=answer.body.replace(b"updatedAt", b"changedAt"))


@pytest.mark.parametrize(
    ("broken", "steps"),
    [
        (Longer, {"token"}),
        (Lax, {"train again", "retrain again", "no such dataset", "long name", "pending"}),
        (NoTimes, {"succeeded"}),
    ],
)
def test_a_rule_that_is_broken_on_purpose_is_noticed(
    vendor: Vendor, broken: type[EinsteinSimulator], steps: set[str]
) -> None:
    with running(broken(SimulatorClock(speed=0, start=BEGAN))) as url:
        seen = vendor.session(url)
    wrong = {step for step in EXPECTED if _only(seen.get(step), EXPECTED[step]) != EXPECTED[step]}
    assert steps <= wrong


def _only(seen: Any, wanted: Any) -> Any:
    """Of what was seen, the members that are wanted."""
    if not isinstance(wanted, dict) or not isinstance(seen, dict):
        return seen
    return {name: _only(seen.get(name), part) for name, part in wanted.items()}
