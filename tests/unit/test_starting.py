"""Started once: readable examples."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.builders import NOON, a_job, failed_poll
from trainbell.domain import starting
from trainbell.domain.events import EventType
from trainbell.domain.failure import FailureKind
from trainbell.domain.job import EndReason, Job, State
from trainbell.domain.lifecycle import request_cancel
from trainbell.domain.polling import Pace
from trainbell.domain.recording import Decision
from trainbell.domain.starting import START_LEASE_SECONDS

PACE = Pace()
HANDLE = {"id": "training-1"}


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def begun(**fields: object) -> Job:
    return starting.begin(a_job(**fields), NOON).job


def test_the_intent_is_written_first_and_leaves_the_sender_its_time() -> None:
    job = begun()
    assert (job.state, job.start.attempts, job.start_is_unclear) == (State.STARTING, 1, True)
    assert job.watch.next_poll_at == after(START_LEASE_SECONDS)


def test_nobody_begins_a_start_that_has_begun() -> None:
    with pytest.raises(ValueError, match="illegal move from starting to starting"):
        starting.begin(begun(), after(1))


def test_the_handle_is_kept_and_a_second_one_is_not() -> None:
    first = starting.accepted(begun(), HANDLE, after(1), PACE)
    second = starting.accepted(first.job, {"id": "other"}, after(2), PACE, adopted=True)
    assert first.events[-1].type is EventType.JOB_STARTED
    assert second == Decision(first.job)
    assert second.job.handle == HANDLE


def test_a_lost_answer_leaves_the_start_unclear_and_is_noted_once() -> None:
    first = starting.unclear(begun(), failed_poll(), after(30), PACE)
    again = starting.unclear(first.job, failed_poll(), after(40), PACE)
    assert again.job.start_is_unclear
    assert [event.type for event in (*first.events, *again.events)] == [EventType.START_UNCLEAR]


@pytest.mark.parametrize(
    ("settle", "at", "state"),
    [
        (120, 119, State.STARTING),
        (120, 120, State.REQUESTED),
        (0, START_LEASE_SECONDS - 1, State.STARTING),
        (0, START_LEASE_SECONDS, State.REQUESTED),
    ],
)
def test_only_a_look_up_after_all_has_settled_allows_another_attempt(
    settle: float, at: float, state: State
) -> None:
    looked = starting.not_found(begun(), after(at), settle)
    assert looked.job.state is state
    assert looked.job.start_is_unclear == (state is State.STARTING)


def test_a_sender_that_is_surely_gone_needs_no_lease() -> None:
    restarted = starting.not_in_flight(begun(), after(1)).job
    assert restarted.watch.next_poll_at == after(1)
    assert starting.not_found(restarted, after(9), 10).job.start_is_unclear
    assert not starting.not_found(restarted, after(10), 10).job.start_is_unclear


def test_a_start_given_up_and_accepted_after_all_is_adopted() -> None:
    given_up = starting.not_found(begun(), after(300), 60).job
    job = starting.accepted(given_up, HANDLE, after(301), PACE).job
    assert (job.state, job.handle, job.start.attempts) == (State.QUEUED, HANDLE, 1)


def test_a_start_that_was_surely_not_taken_may_be_sent_again() -> None:
    job = starting.postponed(begun(), failed_poll(FailureKind.THROTTLED), after(1), PACE).job
    assert (job.state, job.start.sent_at) == (State.REQUESTED, None)
    assert starting.begin(job, after(10)).job.start.attempts == 2


def test_a_refused_start_has_failed() -> None:
    job = starting.refused(
        begun(), failed_poll(FailureKind.REJECTED, message="no tag"), after(1)
    ).job
    assert (job.state, job.end_reason, job.seen.message) == (
        State.FAILED,
        EndReason.START_REJECTED,
        "no tag",
    )


def test_a_job_without_a_slot_waits_and_says_for_what() -> None:
    held = starting.held_back(a_job(), "dataset:cats", "job-7", NOON, PACE)
    assert held.job.state is State.WAITING
    assert held.events[-1].data == {"hold": "dataset:cats", "holder": "job-7"}
    assert starting.held_back(held.job, "dataset:cats", "job-7", after(9), PACE).events == ()


def test_holding_back_leaves_alone_what_has_begun_or_ended() -> None:
    ended = request_cancel(a_job(), "ann", NOON).job
    for job in (begun(), ended):
        assert starting.held_back(job, "slot", "job-7", after(1), PACE) == Decision(job)


def test_a_cancel_during_an_unclear_start_is_kept_until_the_job_is_found() -> None:
    asked = request_cancel(begun(), "ann", after(1))
    assert asked.job.state is State.STARTING
    assert not asked.send_cancel
    found = starting.accepted(asked.job, HANDLE, after(70), PACE, adopted=True)
    assert found.send_cancel
    assert found.job.state is State.CANCELLING


def test_a_cancel_during_an_unclear_start_ends_it_where_nothing_was_found() -> None:
    asked = request_cancel(begun(), "ann", after(1)).job
    assert starting.not_found(asked, after(30), 0).job.state is State.STARTING
    ended = starting.not_found(asked, after(120), 60).job
    assert ended.end_reason is EndReason.CANCELLED_BEFORE_START


def test_a_job_that_waits_too_long_expires_on_time() -> None:
    job = a_job(deadline_at=after(7))
    held = starting.held_back(job, "slot", "job-7", after(5), PACE).job
    assert held.watch.next_poll_at == after(7)
    expired = starting.settle_unsent(Decision(held), after(7))
    assert expired.job.end_reason is EndReason.DEADLINE_EXCEEDED
    assert [event.sequence for event in expired.events] == [2, 3]
