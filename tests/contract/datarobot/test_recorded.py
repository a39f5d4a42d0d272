"""DataRobot's documented answers read as documented."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import httpx
import pytest

from tests.contract.datarobot.service import PARAMETERS, an_order, answering
from trainbell.domain.job import State
from trainbell.errors import (
    ProviderRejected,
)
from trainbell.providers.datarobot import PROVIDER
from trainbell.simulators.datarobot.world import (
    DATASET,
    MODEL,
)


def sample(name: str) -> Any:
    path = files("trainbell.providers.datarobot") / "samples" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def test_R1_the_documented_example_reads_as_documented() -> None:
    """Nulls, a blank time and a missing check spoil nothing."""
    provider = answering(httpx.Response(200, json=sample("test_warning")))
    seen = provider.poll({"kind": "test", "id": "x"})
    assert seen.state is State.SUCCEEDED
    assert seen.message == "nullValueImputation warning: 3 rows without prediction"
    assert seen.started_at is not None
    assert seen.ended_at is not None


def test_R5_the_recorded_404_of_a_submitted_feature_impact_is_joined() -> None:
    provider = answering(httpx.Response(404, json=sample("feature_impact_submitted")))
    assert provider.start(an_order("feature_impact"))["status"] == "66f0a1b2c3d4e5f6a7b8c9d0"


def test_R8_the_services_own_error_is_kept_whole() -> None:
    body = sample("version_refused")
    provider = answering(httpx.Response(422, json=body, headers={"X-DataRobot-Request-ID": "r-1"}))
    with pytest.raises(ProviderRejected) as raised:
        provider.start(an_order("convert"))
    assert raised.value.details == body
    assert raised.value.request_id == "r-1"
    assert raised.value.http_status == 422


def test_R8_dataset_and_model_of_the_parameters() -> None:
    assert PROVIDER.dataset_of
    assert PROVIDER.model_of
    assert PROVIDER.dataset_of(PARAMETERS["test"]) == DATASET
    assert PROVIDER.model_of(PARAMETERS["explain"]) == MODEL
    assert PROVIDER.dataset_of({"datasetId": 7}) is None
