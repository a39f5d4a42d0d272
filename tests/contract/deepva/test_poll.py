"""What a poll of DeepVA tells: states (D4), progress and times (D5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.contract.deepva.service import a_provider, an_order, polled
from trainbell.domain.job import State
from trainbell.errors import (
    ProviderReplyInvalid,
)
from trainbell.providers.deepva.provider import DeepVA
from trainbell.simulators.deepva import DeepVASimulator
from trainbell.simulators.deepva.trainings import Plan


def test_D4_D5_a_training_passes_through_its_states_with_progress_and_times(
    deepva: DeepVA, simulator: DeepVASimulator
) -> None:
    simulator.account.plan = Plan(waiting_seconds=10, processing_seconds=100)
    handle = deepva.start(an_order())
    seen = [deepva.poll(handle)]
    for seconds in (10, 50, 50):
        simulator.clock.advance(seconds)
        seen.append(deepva.poll(handle))
    assert [s.vendor_status for s in seen] == ["waiting", "processing", "processing", "completed"]
    assert [s.progress for s in seen] == [0.0, 0.0, 0.5, 1.0]
    assert seen[0].started_at is None
    assert seen[-1].started_at == datetime(2026, 3, 2, 12, 0, 10, tzinfo=UTC)
    assert seen[-1].ended_at == datetime(2026, 3, 2, 12, 1, 50, tzinfo=UTC)
    assert seen[-1].performance.cost == {"service_seconds": 100.0}


def test_D4_a_failed_training_says_why(deepva: DeepVA, simulator: DeepVASimulator) -> None:
    simulator.account.plan = Plan(error="not enough faces", fails_at=0.25)
    handle = deepva.start(an_order())
    simulator.clock.advance(7)
    seen = deepva.poll(handle)
    assert (seen.state, seen.message, seen.progress) == (State.FAILED, "not enough faces", 0.25)


def test_D5_the_documented_example_reads_as_documented() -> None:
    """Times without a zone are UTC; `duration` is not completion less start (42.889 s)."""
    seen = polled()
    assert seen.state is State.SUCCEEDED
    assert seen.started_at == datetime(2020, 12, 15, 12, 55, 35, 712000, tzinfo=UTC)
    assert seen.ended_at == datetime(2020, 12, 15, 12, 56, 18, 601000, tzinfo=UTC)
    assert seen.performance.cost == {"service_seconds": 2.8}


@pytest.mark.parametrize(
    "value", [None, "", "soon", 7, "2020-99-15 12:00:00", [], "0001-01-01T00:00:00+14:00"]
)
def test_D5_what_is_no_time_or_number_does_not_spoil_the_answer(value: Any) -> None:
    seen = polled(time_started=value, progress="half", duration=None, source_dataset=[1])
    assert (seen.state, seen.started_at, seen.progress) == (State.SUCCEEDED, None, None)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 400, "true", '"0.5"', "[]"])
def test_D5_what_is_no_finite_number_is_left_out(number: str) -> None:
    body = f'{{"id": "x", "state": "processing", "progress": {number}, "duration": {number}}}'
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    seen = a_provider("https://api.deepva.com/api/v1", transport=transport).poll({"id": "x"})
    assert (seen.state, seen.progress, seen.performance.cost) == (State.RUNNING, None, {})


def test_D5_a_zone_that_is_given_is_honoured() -> None:
    seen = polled(time_completed="2020-12-15T13:56:18+01:00")
    assert seen.ended_at == datetime(2020, 12, 15, 12, 56, 18, tzinfo=UTC)


@pytest.mark.parametrize("changes", [{"state": None}, {"state": 3}, {"id": "../x"}, {"id": None}])
def test_D4_an_answer_without_a_readable_state_or_id_is_invalid(changes: dict[str, Any]) -> None:
    with pytest.raises(ProviderReplyInvalid):
        polled(**changes)
