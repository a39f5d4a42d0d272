"""What DeepVA's tests hold: orders, a provider, recorded answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import httpx

from tests.builders import FakeClock, OneSecret, a_connection
from tests.inner_provider import inner
from trainbell.domain.job import State
from trainbell.ports import StartOrder
from trainbell.providers.catalog import Catalog
from trainbell.providers.deepva.provider import DeepVA
from trainbell.simulators.deepva.service import API_KEY
from trainbell.simulators.deepva.trainings import FACE_DATASET

JOB = "01jobaaaaaaaaaaaaaaaaaaaaa"
WORDS: Mapping[str, State] = {
    "waiting": State.QUEUED,
    "processing": State.RUNNING,
    "completed": State.SUCCEEDED,
    "failed": State.FAILED,
}
"""The `state` of a training as its documentation names them; never the provider's own table."""


def a_provider(
    base_url: str,
    secret: str | OneSecret = API_KEY,
    transport: httpx.BaseTransport | None = None,
    clock: FakeClock | None = None,
) -> DeepVA:
    secrets = OneSecret(secret) if isinstance(secret, str) else secret
    catalog = Catalog(secrets, clock or FakeClock(), transport=transport)
    client = inner(catalog.client(a_connection(base_url=base_url)))
    assert isinstance(client, DeepVA)
    return client


def an_order(job_id: str = JOB, **parameters: Any) -> StartOrder:
    given = {"source_dataset_id": FACE_DATASET, "output_model_name": "Faces", **parameters}
    return StartOrder(job_id=job_id, kind="train", parameters=given)


def polled(**changes: Any) -> Any:
    """What a poll sees of the documented example, with these fields changed."""
    sample = files("trainbell.providers.deepva") / "samples" / "training_completed.json"
    document = {**json.loads(sample.read_text(encoding="utf-8")), **changes}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=document))
    return a_provider("https://api.deepva.com/api/v1", transport=transport).poll({"id": "x"})
