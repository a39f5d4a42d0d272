"""What Einstein's tests hold: orders, a provider, answers to replay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Any

import httpx

from tests.builders import NOON, FakeClock, OneSecret, a_connection
from tests.inner_provider import inner
from trainbell.domain.job import State
from trainbell.ports import StartOrder
from trainbell.providers.catalog import Catalog
from trainbell.providers.einstein.provider import Einstein
from trainbell.simulators.einstein.account_key import ACCOUNT, PRIVATE_KEY
from trainbell.simulators.einstein.trainings import (
    IMAGE_DATASET,
)

JOB = "01jobaaaaaaaaaaaaaaaaaaaaa"
WORDS: Mapping[str, State] = {
    "QUEUED": State.QUEUED,
    "RUNNING": State.RUNNING,
    "SUCCEEDED": State.SUCCEEDED,
    "FAILED": State.FAILED,
    "KILLED": State.CANCELLED,
    "FAILED_WITH_RETRIES": State.FAILED,
}
"""`status` of a training: the guide's four, and two of the OpenAPI document; never the provider's
own table. Nobody but the service kills a training: a cancel is no call of its."""


class OnlyStarts(httpx.BaseTransport):
    """Sends starts through the given transport, and all other calls over the plain network."""

    def __init__(self, starts: httpx.BaseTransport) -> None:
        self._starts = starts
        self._network = httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_start = request.method == "POST" and request.url.path.endswith("train")
        return (self._starts if is_start else self._network).handle_request(request)

    def close(self) -> None:
        self._network.close()


def a_provider(
    base_url: str,
    secret: str | OneSecret = PRIVATE_KEY,
    transport: httpx.BaseTransport | None = None,
    clock: FakeClock | None = None,
    **options: Any,
) -> Einstein:
    secrets = OneSecret(secret) if isinstance(secret, str) else secret
    catalog = Catalog(secrets, clock or FakeClock(), transport=transport)
    connection = a_connection(
        name="einstein",
        provider="einstein",
        base_url=base_url,
        options={"account": ACCOUNT, **options},
    )
    client = inner(catalog.client(connection))
    assert isinstance(client, Einstein)
    return client


def an_order(job_id: str = JOB, **fields: Any) -> StartOrder:
    known = {name: fields.pop(name) for name in ("when_busy", "sent_at") if name in fields}
    given = {"datasetId": IMAGE_DATASET, "name": "Beaches", **fields}
    return StartOrder(job_id=job_id, kind="train", parameters=given, **{"sent_at": NOON, **known})


def a_retraining(model_id: str, job_id: str = JOB, **fields: Any) -> StartOrder:
    order = an_order(job_id, **fields)
    given = {k: v for k, v in order.parameters.items() if k not in ("datasetId", "name")}
    return replace(order, kind="retrain", parameters={"modelId": model_id, **given})


def a_replay(**answers: dict[str, Any]) -> Einstein:
    """An Einstein that gives these answers by the last part of the path."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/oauth2/token":
            return httpx.Response(200, json={"access_token": "T", "expires_in": "60"})
        found = answers.get(request.url.path.rpartition("/")[2])
        return httpx.Response(200, json=found) if found else httpx.Response(404, json={})

    return a_provider("https://api.einstein.ai", transport=httpx.MockTransport(answer))


def a_sample(name: str) -> dict[str, Any]:
    sample = files("trainbell.providers.einstein") / "samples" / f"{name}.json"
    document = json.loads(sample.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document
