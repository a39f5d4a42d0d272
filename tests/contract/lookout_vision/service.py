"""What Lookout for Vision's tests hold: keys, orders, a provider, recorded answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import httpx

from tests.builders import NOON, FakeClock, OneSecret, a_connection
from tests.inner_provider import inner
from trainbell.domain.job import State
from trainbell.ports import Handle, StartOrder
from trainbell.providers.catalog import Catalog
from trainbell.providers.lookout_vision.provider import LookoutVision
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.lookout_vision import LookoutVisionSimulator
from trainbell.simulators.lookout_vision.account import PROJECT
from trainbell.simulators.lookout_vision.service import ACCESS_KEY_ID, SECRET_ACCESS_KEY

JOB = "01jobaaaaaaaaaaaaaaaaaaaaa"
OTHER_JOB = "01jobbbbbbbbbbbbbbbbbbbbbb"
OUTPUT = {"S3Location": {"Bucket": "lookout-results", "Prefix": "circuits/"}}
SERVICE = "https://lookoutvision.us-east-1.amazonaws.com"
WORDS: Mapping[str, State] = {
    "TRAINING": State.RUNNING,
    "TRAINED": State.SUCCEEDED,
    "TRAINING_FAILED": State.FAILED,
    "STARTING_HOSTING": State.SUCCEEDED,
    "HOSTED": State.SUCCEEDED,
    "HOSTING_FAILED": State.SUCCEEDED,
    "STOPPING_HOSTING": State.SUCCEEDED,
    "SYSTEM_UPDATING": State.SUCCEEDED,
    "DELETING": State.CANCELLING,
}
"""All of `ModelStatus` in the service's API, with what each means for the training; never the
provider's own table. Only a trained model is hosted, so the hosting words tell of a success."""


def keys(secret: str = SECRET_ACCESS_KEY, **more: str) -> str:
    return json.dumps({"access_key_id": ACCESS_KEY_ID, "secret_access_key": secret, **more})


KEYS = keys()


def a_provider(
    base_url: str | None = SERVICE,
    secret: str | OneSecret | None = KEYS,
    transport: httpx.BaseTransport | None = None,
    clock: FakeClock | None = None,
    **connection: Any,
) -> LookoutVision:
    """`secret` None leaves it to AWS's default places."""
    secrets = secret if isinstance(secret, OneSecret) else OneSecret(secret or "")
    reference = None if secret is None else "env:AWS_KEYS"
    given = {"options": {"region": "us-east-1"}, "secret": reference, **connection}
    catalog = Catalog(secrets, clock or FakeClock(), transport=transport)
    client = inner(
        catalog.client(
            a_connection(name="lookout", provider="lookout_vision", base_url=base_url, **given)
        )
    )
    assert isinstance(client, LookoutVision)
    return client


def given(**parameters: Any) -> dict[str, Any]:
    return {"ProjectName": PROJECT, "OutputConfig": OUTPUT, **parameters}


def an_order(job_id: str = JOB, **parameters: Any) -> StartOrder:
    return StartOrder(job_id=job_id, kind="train", parameters=given(**parameters))


def fresh_simulator() -> LookoutVisionSimulator:
    return LookoutVisionSimulator(SimulatorClock(speed=0, start=NOON), wall=lambda: NOON)


def end_now(simulator: LookoutVisionSimulator, handle: Handle, error: str = "") -> None:
    simulator.account.end_now(handle["project"], handle["version"], error)


def say(simulator: LookoutVisionSimulator, handle: Handle, status: str | None) -> None:
    simulator.account.say(handle["project"], handle["version"], status)


def sample(name: str) -> dict[str, Any]:
    path = files("trainbell.providers.lookout_vision") / "samples" / name
    document = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def answering(document: Any, status: int = 200, **headers: str) -> LookoutVision:
    transport = httpx.MockTransport(
        lambda _: httpx.Response(status, json=document, headers=headers)
    )
    return a_provider(transport=transport)
