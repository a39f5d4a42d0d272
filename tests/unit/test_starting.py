"""Started once: readable examples."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.builders import NOON, a_job, changed, failed_poll
from trainbell.domain import starting, unsent
from trainbell.domain.cancelling import request_cancel
from trainbell.domain.events import EventType
from trainbell.domain.failure import FailureKind
from trainbell.domain.job import EndReason, Job, State
from trainbell.domain.order import OnUnclear
from trainbell.domain.polling import Pace
from trainbell.domain.recording import Decision
from trainbell.domain.starting import START_LEASE_SECONDS, Settling

PACE = Pace()
HANDLE = {"id": "training-1"}


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def begun(**fields: object) -> Job:
    return starting.begin(a_job(**fields), NOON).job


def looked_up(job: Job, at: datetime, settling: Settling) -> Decision:
    """A look-up that found nothing, answered at once."""
    return starting.not_found(job, job.start.attempts, at, at, settling)


def test_the_intent_is_written_first_and_leaves_the_sender_its_time() -> None:
    job = begun()
    assert (job.state, job.start.attempts, job.start_is_unclear) == (State.STARTING, 1, True)
    assert job.watch.next_poll_at == after(START_LEASE_SECONDS)


def test_nobody_begins_a_start_that_has_begun() -> None:
    with pytest.raises(ValueError, match="illegal move from starting to starting"):
        starting.begin(begun(), after(1))


def test_the_handle_is_kept_and_a_second_one_is_not() -> None:
    first = starting.accepted(begun(), HANDLE, after(1), PACE)
    again = starting.accepted(first.job, HANDLE, after(2), PACE, adopted=True)
    assert first.events[-1].type is EventType.JOB_STARTED
    assert again == Decision(first.job)


@pytest.mark.parametrize("ended", [False, True])
def test_a_second_training_of_a_job_is_an_alarm_and_not_silence(ended: bool) -> None:
    job = starting.accepted(begun(), HANDLE, after(1), PACE).job
    if ended:
        job = changed(job, state=State.SUCCEEDED, end_reason=EndReason.COMPLETED)
    second = starting.accepted(job, {"id": "other"}, after(2), PACE, adopted=True)
    (alarm,) = second.events
    assert (alarm.type, alarm.is_announced) == (EventType.DOUBLED_TRAINING, True)
    assert alarm.data == {"handles": [{"id": "other"}], "watched": HANDLE}
    assert (second.job.handle, second.job.may_still_cost) == (HANDLE, True)


def test_a_training_that_appears_after_its_job_ended_is_an_alarm() -> None:
    ended = request_cancel(a_job(), "ann", NOON).job
    (alarm,) = starting.accepted(ended, HANDLE, after(1), PACE).events
    assert (alarm.type, alarm.is_announced) == (EventType.ORPHAN_FOUND, True)


def test_a_lost_answer_leaves_the_start_unclear_and_is_noted_once() -> None:
    first = starting.unclear(begun(), 1, failed_poll(), after(30), PACE)
    again = starting.unclear(first.job, 1, failed_poll(), after(40), PACE)
    assert again.job.start_is_unclear
    assert [event.type for event in (*first.events, *again.events)] == [EventType.START_UNCLEAR]


@pytest.mark.parametrize(
    ("settle", "at", "state"),
    [
        (120, START_LEASE_SECONDS + 119, State.STARTING),
        (120, START_LEASE_SECONDS + 120, State.REQUESTED),
        (0, START_LEASE_SECONDS - 1, State.STARTING),
        (0, START_LEASE_SECONDS, State.REQUESTED),
    ],
)
def test_only_a_look_up_after_all_has_settled_allows_another_attempt(
    settle: float, at: float, state: State
) -> None:
    looked = looked_up(begun(), after(at), Settling(settle))
    assert looked.job.state is state
    assert looked.job.start_is_unclear == (state is State.STARTING)


def test_a_look_up_is_judged_by_when_it_was_begun() -> None:
    """DeepVA commits at 14 s; a look-up at 12 s is answered 19 s late, after all has settled."""
    job = starting.unclear(begun(), 1, failed_poll(), after(1), PACE).job
    late = starting.not_found(job, 1, after(12), after(31), Settling(30))
    assert late.job.start_is_unclear
    assert late.job.start.clean_look_ups == 0


def test_what_an_attempt_brought_applies_to_that_attempt_only() -> None:
    first = starting.postponed(begun(), 1, failed_poll(), after(1), PACE).job
    second = starting.begin(first, after(10)).job
    for late in (
        starting.not_found(second, 1, after(500), after(501), Settling(30)),
        starting.unclear(second, 1, failed_poll(), after(501), PACE),
        starting.look_up_failed(second, 1, failed_poll(), after(501), PACE),
        starting.refused(second, 1, failed_poll(FailureKind.REJECTED), after(501)),
        starting.postponed(second, 1, failed_poll(), after(501), PACE),
    ):
        assert late == Decision(second)


def test_where_a_repeat_would_double_several_look_ups_must_find_nothing() -> None:
    job, settling = begun(), Settling(900, 3, repeat_doubles=True)
    settled = START_LEASE_SECONDS + 900
    for at in (settled - 1, settled, settled + 400):
        job = looked_up(job, after(at), settling).job
        assert job.start_is_unclear
        assert job.watch.next_poll_at is not None
        assert job.watch.next_poll_at > after(at)
    assert looked_up(job, after(settled + 800), settling).job.state is State.REQUESTED


def test_a_person_is_asked_once_where_that_was_ordered() -> None:
    settling = Settling(900, 1, repeat_doubles=True)
    asked = looked_up(begun(on_unclear=OnUnclear.ASK), after(2000), settling)
    (event,) = asked.events
    assert (event.type, event.is_announced) == (EventType.START_NEEDS_ANSWER, True)
    again = looked_up(asked.job, after(4000), settling)
    assert again.events == ()
    assert again.job.start_is_unclear
    answered = starting.resend(again.job, "ann", after(5000))
    assert answered.job.state is State.REQUESTED
    assert answered.events[0].data == {"by": "ann", "answer": "resend"}
    assert starting.resend(begun(), "ann", after(1)) == Decision(begun())


def test_a_sender_that_slept_through_its_lease_does_not_send() -> None:
    job = begun()
    assert starting.may_still_send(job, after(5))
    assert not starting.may_still_send(job, after(6))


def test_a_sender_that_is_surely_gone_needs_no_lease() -> None:
    restarted = starting.not_in_flight(begun(), after(1)).job
    assert restarted.watch.next_poll_at == after(1)
    assert looked_up(restarted, after(10), Settling(10)).job.start_is_unclear
    assert not looked_up(restarted, after(11), Settling(10)).job.start_is_unclear


def test_a_start_given_up_and_accepted_after_all_is_adopted() -> None:
    given_up = looked_up(begun(), after(300), Settling(60)).job
    job = starting.accepted(given_up, HANDLE, after(301), PACE).job
    assert (job.state, job.handle, job.start.attempts) == (State.QUEUED, HANDLE, 1)


def test_a_start_that_was_surely_not_taken_may_be_sent_again() -> None:
    job = starting.postponed(begun(), 1, failed_poll(FailureKind.THROTTLED), after(1), PACE).job
    assert (job.state, job.start.sent_at) == (State.REQUESTED, None)
    assert starting.begin(job, after(10)).job.start.attempts == 2


def test_a_refused_start_has_failed() -> None:
    job = starting.refused(
        begun(), 1, failed_poll(FailureKind.REJECTED, message="no tag"), after(1)
    ).job
    assert (job.state, job.end_reason, job.seen.message) == (
        State.FAILED,
        EndReason.START_REJECTED,
        "no tag",
    )


def test_a_job_without_a_slot_waits_and_says_for_what() -> None:
    held = unsent.held_back(a_job(), "dataset:cats", "job-7", NOON, PACE)
    assert held.job.state is State.WAITING
    assert held.events[-1].data == {"hold": "dataset:cats", "holder": "job-7"}
    assert unsent.held_back(held.job, "dataset:cats", "job-7", after(9), PACE).events == ()


def test_holding_back_leaves_alone_what_has_begun_or_ended() -> None:
    ended = request_cancel(a_job(), "ann", NOON).job
    for job in (begun(), ended):
        assert unsent.held_back(job, "slot", "job-7", after(1), PACE) == Decision(job)


def test_a_cancel_during_an_unclear_start_is_kept_until_the_job_is_found() -> None:
    asked = request_cancel(begun(), "ann", after(1))
    assert asked.job.state is State.STARTING
    assert not asked.send_cancel
    found = starting.accepted(asked.job, HANDLE, after(70), PACE, adopted=True)
    assert found.send_cancel
    assert found.job.state is State.CANCELLING


def test_a_cancel_during_an_unclear_start_ends_it_where_nothing_was_found() -> None:
    asked = request_cancel(begun(), "ann", after(1)).job
    assert looked_up(asked, after(30), Settling(0)).job.state is State.STARTING
    ended = looked_up(asked, after(120), Settling(60)).job
    assert ended.end_reason is EndReason.CANCELLED_BEFORE_START


def test_a_job_that_waits_too_long_expires_on_time() -> None:
    job = a_job(deadline_at=after(7))
    held = unsent.held_back(job, "slot", "job-7", after(5), PACE).job
    assert held.watch.next_poll_at == after(7)
    expired = unsent.settle_unsent(Decision(held), after(7))
    assert expired.job.end_reason is EndReason.DEADLINE_EXCEEDED
    assert [event.sequence for event in expired.events] == [2, 3]
