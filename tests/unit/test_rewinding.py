"""What a clock wrote that was ahead, by its parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest

from tests.builders import NOON, a_running_job, changed
from trainbell.domain.cancelling import cancel_failed, cancel_sent
from trainbell.domain.events import EventType
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import CancelCause, CancelWish, Job, State
from trainbell.domain.lifecycle import WatchRules, step
from trainbell.domain.observation import Observation
from trainbell.domain.polling import Pace
from trainbell.domain.recording import Decision
from trainbell.domain.rewinding import rewound

DAY = timedelta(days=1)
NO_ANSWER = Failure(kind=FailureKind.UNAVAILABLE, at=NOON, type="ProviderUnavailable", message="")


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def declared_late_by_a_clock_ahead(job: Job) -> Job:
    """A day ahead, the deadline seems to have passed; the cancel was not taken yet."""
    then = after(10) + DAY
    seen = Observation(seen_at=then, vendor_status="RUNNING", state=State.RUNNING)
    return step(job, seen, then, WatchRules(), Pace()).job


def test_a_deadline_that_has_not_passed_after_all_cancels_nothing() -> None:
    job = declared_late_by_a_clock_ahead(a_running_job(deadline_at=after(3600)))
    assert (job.state, job.cancel.cause) == (State.CANCELLING, CancelCause.DEADLINE)
    decision = rewound(job, after(20))
    now = decision.job
    assert (now.state, now.may_still_cost) == (State.RUNNING, False)
    assert now.cancel == CancelWish()
    assert not decision.send_cancel
    assert [event.type for event in decision.events] == [
        EventType.DEADLINE_TAKEN_BACK,
        EventType.JOB_STATE_CHANGED,
    ]


def test_one_that_still_waits_in_the_line_of_its_service_goes_on_waiting() -> None:
    job = a_running_job(state=State.QUEUED, started_at=None, deadline_at=after(3600))
    then = after(10) + DAY
    seen = Observation(seen_at=then, vendor_status="QUEUED", state=State.QUEUED)
    late = step(job, seen, then, WatchRules(), Pace()).job
    assert rewound(late, after(20)).job.state is State.QUEUED


def test_a_deadline_that_has_passed_by_this_clock_too_stands() -> None:
    job = declared_late_by_a_clock_ahead(a_running_job(deadline_at=after(15)))
    now = rewound(job, after(20)).job
    assert (now.state, now.cancel.cause) == (State.CANCELLING, CancelCause.DEADLINE)


def test_a_cancel_that_the_service_took_cannot_be_taken_back() -> None:
    job = declared_late_by_a_clock_ahead(a_running_job(deadline_at=after(3600)))
    sent = changed(job, cancel_sent_at=after(11) + DAY)
    assert rewound(sent, after(20)).job.state is State.CANCELLING


@pytest.mark.parametrize("answered", [cancel_sent, partial(cancel_failed, failure=NO_ANSWER)])
def test_a_cancel_that_was_under_way_leaves_no_look_of_the_future_behind(
    answered: Callable[..., Decision],
) -> None:
    """The poll before it had been decided on by the clock that was ahead."""
    job = declared_late_by_a_clock_ahead(a_running_job(deadline_at=after(15)))
    assert answered(job, now=after(20)).job.due_at == after(20)


def test_a_cancel_leaves_the_next_look_where_it_was() -> None:
    job = a_running_job(
        state=State.CANCELLING,
        next_poll_at=after(30),
        cancel_requested_at=after(10),
        cancel_cause=CancelCause.REQUESTED,
    )
    assert cancel_sent(job, after(20)).job.due_at == after(30)


def test_a_persons_wish_stands_whatever_the_clock_was() -> None:
    job = a_running_job(
        state=State.CANCELLING,
        deadline_at=after(3600),
        cancel_requested_at=after(10) + DAY,
        cancel_requested_by="ada",
        cancel_cause=CancelCause.REQUESTED,
    )
    now = rewound(job, after(20)).job
    assert (now.state, now.cancel.requested_by) == (State.CANCELLING, "ada")
    assert now.cancel.requested_at == after(20)
