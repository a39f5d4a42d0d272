"""What the state machine gives to the functions, and what it gets back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOON, a_job, a_running_job
from trainbell.cloud.watch_turn import WatchTurn
from trainbell.domain.ids import new_job_id
from trainbell.domain.job import State
from trainbell.errors import InputInvalid
from trainbell.use_cases.jobs.advance_job import whole_seconds_until_due

TURN = WatchTurn(job_id="01job", watch=2, loops=5)


def test_a_turn_survives_the_way_through_the_machine() -> None:
    assert WatchTurn.parse({**TURN.as_input(), "wait_seconds": 9, "ended": False}) == TURN
    assert TURN.next().loops == 6


@pytest.mark.parametrize(
    ("field", "value"),
    [("job_id", None), ("job_id", 7), ("watch", "2"), ("watch", True), ("loops", 1.5)],
)
def test_a_wrong_input_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InputInvalid) as refused:
        WatchTurn.parse({**TURN.as_input(), field: value})
    assert [problem.path for problem in refused.value.problems] == [field]


def test_all_wrong_fields_are_named() -> None:
    with pytest.raises(InputInvalid) as refused:
        WatchTurn.parse({})
    assert len(refused.value.problems) == 3


@pytest.mark.parametrize(("due_in", "waits"), [(0.2, 1), (7.01, 8), (900, 900), (-60, 1)])
def test_the_wait_is_whole_seconds_until_the_job_is_due(due_in: float, waits: int) -> None:
    job = a_running_job(next_poll_at=NOON + timedelta(seconds=due_in))
    assert whole_seconds_until_due(job, NOON) == waits
    assert TURN.outcome(job, waits)["wait_seconds"] == waits


def test_an_ended_job_ends_the_watch() -> None:
    job = a_job(state=State.SUCCEEDED, next_poll_at=None)
    answer = TURN.outcome(job, None)
    assert (answer["ended"], answer["superseded"], answer["hand_over"]) == (True, False, False)


def test_after_a_hand_over_the_number_is_the_next_watchers() -> None:
    job = a_running_job(watch=3)
    assert TURN.outcome(job, 7)["watch"] == 2
    assert TURN.outcome(job, 7, hand_over=True)["watch"] == 3


def test_the_longest_name_of_an_execution_fits() -> None:
    job_id = new_job_id(NOON, lambda bits: 2**bits - 1)
    assert len(WatchTurn(job_id=job_id, watch=10**9).execution_name) <= 80
