"""What SageMaker's tests hold: orders, a provider, recorded answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import httpx

from tests.aws_models import service_model
from tests.builders import FakeClock, OneSecret, a_connection
from tests.inner_provider import inner
from tests.sagemaker_on_moto import (
    ACCOUNT,
    KEYS,
    REGION,
    parameters,
)
from trainbell.domain.job import State
from trainbell.ports import StartOrder
from trainbell.providers.catalog import Catalog
from trainbell.providers.sagemaker.provider import SageMaker

JOB = "01jobaaaaaaaaaaaaaaaaaaaaa"
NAME = f"trainbell-{JOB}"
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{NAME}"
HANDLE = {"name": NAME, "arn": ARN}
WORDS: Mapping[str, State] = {
    "InProgress": State.RUNNING,
    "Stopping": State.CANCELLING,
    "Completed": State.SUCCEEDED,
    "Failed": State.FAILED,
    "Stopped": State.CANCELLED,
    "Deleting": State.RUNNING,
}
"""All of `TrainingJobStatus`, while the stage says nothing more; never the provider's own table."""


def a_provider(
    base_url: str,
    secret: str | OneSecret = KEYS,
    transport: httpx.BaseTransport | None = None,
    **options: Any,
) -> SageMaker:
    secrets = OneSecret(secret) if isinstance(secret, str) else secret
    catalog = Catalog(secrets, FakeClock(), transport=transport)
    connection = a_connection(
        name="sagemaker",
        provider="sagemaker",
        base_url=base_url,
        options={"region": REGION, "logs_url": base_url, **options},
    )
    client = inner(catalog.client(connection))
    assert isinstance(client, SageMaker)
    return client


def an_order(job_id: str = JOB, **changes: Any) -> StartOrder:
    return StartOrder(job_id=job_id, kind="train", parameters=parameters(**changes))


def _enum(shape: str) -> list[str]:
    model = service_model("sagemaker")
    values: list[str] = model.shape_for(shape).enum
    return values


def recorded(name: str, **changes: Any) -> dict[str, Any]:
    sample = files("trainbell.providers.sagemaker") / "samples" / f"{name}.json"
    return {**json.loads(sample.read_text(encoding="utf-8")), **changes}


def reply(body: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(body).encode())


def refusal(code: str, words: str = "", status: int = 400) -> httpx.Response:
    return reply({"__type": code, "message": words}, status)
