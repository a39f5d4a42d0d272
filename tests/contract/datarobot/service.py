"""What DataRobot's tests hold: orders of every kind, a provider, recorded answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import ValidationError

from tests.builders import NOON, FakeClock, OneSecret, a_connection
from tests.inner_provider import inner
from trainbell.domain.job import State
from trainbell.ports import StartOrder
from trainbell.providers.catalog import Catalog
from trainbell.providers.datarobot import PROVIDER
from trainbell.providers.datarobot.provider import DataRobot
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.service import API_KEY
from trainbell.simulators.datarobot.world import (
    DATASET,
    MAIN_FILE,
    MODEL,
    REPOSITORY,
    VERSION,
)

JOB = "01jobaaaaaaaaaaaaaaaaaaaaa"
OF_VERSION = {"customModelId": MODEL, "customModelVersionId": VERSION}
PARAMETERS: dict[str, dict[str, Any]] = {
    "test": {**OF_VERSION, "datasetId": DATASET},
    "build_dependencies": OF_VERSION,
    "convert": {**OF_VERSION, "mainProgramItemId": MAIN_FILE},
    "feature_impact": {**OF_VERSION, "rowCount": 10_000},
    "explain": OF_VERSION,
    "assign_training_data": {
        "customModelId": MODEL,
        "datasetId": DATASET,
        "route": "training_data",
    },
    "import_version": {"customModelId": MODEL, "repositoryId": REPOSITORY, "ref": "main"},
}
TEST_WORDS: Mapping[str, State] = {
    "not_tested": State.QUEUED,
    "queued": State.QUEUED,
    "in_progress": State.RUNNING,
    "succeeded": State.SUCCEEDED,
    "warning": State.SUCCEEDED,
    "failed": State.FAILED,
    "aborted": State.FAILED,
    "skipped": State.FAILED,
    "canceled": State.CANCELLED,
}
"""`overallStatus` of a test, all nine; never the provider's own table. Whoever waits for a test
that was skipped or broken off must not take it for passed."""


BUILD_WORDS: Mapping[str, State] = {
    "submitted": State.QUEUED,
    "processing": State.RUNNING,
    "success": State.SUCCEEDED,
    "failed": State.FAILED,
}
"""`buildStatus` of a dependency build, which has no word for a cancelled one."""


CONVERSION_WORDS: Mapping[str, State] = {
    "pending": State.QUEUED,
    "in progress": State.RUNNING,
    "stopping": State.CANCELLING,
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
    "stopped": State.CANCELLED,
}
"""Trainbell's words for the three flags of a conversion."""


ASYNCHRONOUS_WORDS: Mapping[str, State] = {
    "INITIALIZED": State.QUEUED,
    "RUNNING": State.RUNNING,
    "COMPLETED": State.SUCCEEDED,
    "ERROR": State.FAILED,
    "ABORTED": State.CANCELLED,
    "EXPIRED": State.FAILED,
}
"""`status` of `GET /status/{id}/`."""


def a_provider(
    base_url: str,
    secret: str = API_KEY,
    transport: httpx.BaseTransport | None = None,
    clock: FakeClock | None = None,
) -> DataRobot:
    catalog = Catalog(OneSecret(secret), clock or FakeClock(), transport=transport)
    client = inner(catalog.client(a_connection(name="dr", provider="datarobot", base_url=base_url)))
    assert isinstance(client, DataRobot)
    return client


def an_order(kind: str = "test", sent_at: Any = NOON, **parameters: Any) -> StartOrder:
    return StartOrder(
        job_id=JOB, kind=kind, parameters={**PARAMETERS[kind], **parameters}, sent_at=sent_at
    )


def fresh_simulator() -> DataRobotSimulator:
    return DataRobotSimulator(SimulatorClock(speed=0, start=NOON))


def answering(*responses: httpx.Response) -> DataRobot:
    left = list(responses)
    transport = httpx.MockTransport(lambda _: left.pop(0))
    return a_provider("https://app.datarobot.com/api/v2", transport=transport)


def valid(kind: str, **parameters: Any) -> bool:
    try:
        PROVIDER.kinds[kind].parameters.model_validate({**PARAMETERS[kind], **parameters})
    except ValidationError:
        return False
    return True
