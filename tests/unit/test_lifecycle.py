"""What becomes of a watched job: readable examples of the promises."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from tests.builders import NOON, a_job, a_running_job, failed_poll, seen
from trainbell.domain.cancelling import cancel_sent, request_cancel
from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import EndReason, Job, State
from trainbell.domain.lifecycle import WatchRules, replace_watcher, step
from trainbell.domain.observation import Observation
from trainbell.domain.polling import Pace
from trainbell.domain.recording import Decision

RULES = WatchRules()


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def stepped(
    job: Job,
    what: Observation | Failure,
    rules: WatchRules = RULES,
    *,
    missing_is_proven: bool = False,
) -> Decision:
    when = what.at if isinstance(what, Failure) else what.seen_at
    return step(job, what, when, rules, Pace(), missing_is_proven=missing_is_proven)


def types(decision: Decision) -> list[EventType]:
    return [event.type for event in decision.events]


def watched(
    job: Job, whats: Iterable[Observation | Failure], *, missing_is_proven: bool = False
) -> Job:
    for what in whats:
        job = stepped(job, what, missing_is_proven=missing_is_proven).job
    return job


def test_a_job_passes_from_the_queue_to_its_end() -> None:
    job = watched(
        a_running_job(state=State.QUEUED, started_at=None),
        [
            seen(State.QUEUED, at=after(10), queue_position=2),
            seen(State.RUNNING, at=after(20), progress=0.5),
            seen(State.SUCCEEDED, at=after(90), ended_at=after(80)),
        ],
    )
    assert (job.state, job.end_reason) == (State.SUCCEEDED, EndReason.COMPLETED)
    assert job.duration(after(999)) == timedelta(seconds=60)
    assert (job.watch.polls, job.seen.progress, job.watch.next_poll_at) == (3, 1.0, None)


def test_an_end_is_final_whatever_is_seen_later() -> None:
    ended = watched(a_running_job(), [seen(State.FAILED, at=after(10))])
    for late in (seen(State.SUCCEEDED, at=after(20)), failed_poll(FailureKind.MISSING)):
        assert stepped(ended, late) == Decision(ended)
    assert request_cancel(ended, "ann", after(30)).job == ended
    assert replace_watcher(ended, after(30), "test").job == ended


def test_a_late_observation_changes_nothing_but_the_count() -> None:
    job = watched(a_running_job(), [seen(State.RUNNING, at=after(60), progress=0.6)])
    late = step(job, seen(State.QUEUED, at=after(30), progress=0.1), after(61), RULES, Pace())
    assert (late.job.state, late.job.seen.progress, late.events) == (State.RUNNING, 0.6, ())
    assert late.job.watch.polls == job.watch.polls + 1


def test_an_unknown_status_is_kept_reported_once_and_polled_on() -> None:
    first = stepped(a_running_job(), seen(None, at=after(10), vendor_status="Warming"))
    again = stepped(first.job, seen(None, at=after(20), vendor_status="Warming"))
    assert types(first) == [EventType.UNKNOWN_STATUS_SEEN]
    assert types(again) == []
    assert again.job.state is State.RUNNING
    assert again.job.watch.next_poll_at is not None


def test_a_service_with_endless_statuses_does_not_fill_the_trail() -> None:
    whats = [seen(None, at=after(i), vendor_status=f"epoch {i}") for i in range(1, 101)]
    job = watched(a_running_job(), [*whats, *(seen(None, at=after(200), vendor_status="epoch 1"),)])
    assert job.event_count == 16
    assert job.seen.vendor_status == "epoch 1"


def test_failures_neither_end_nor_cancel_nor_restart_a_job() -> None:
    kinds = [kind for kind in FailureKind if kind is not FailureKind.MISSING] * 50
    job = watched(a_running_job(), [failed_poll(kind, at=after(i)) for i, kind in enumerate(kinds)])
    assert (job.state, job.start.attempts, job.cancel.requested_at) == (State.RUNNING, 1, None)


def test_an_outage_is_noted_when_it_begins_and_when_it_ends() -> None:
    down = [stepped(a_running_job(), failed_poll(at=after(1)))]
    down.append(stepped(down[-1].job, failed_poll(at=after(2))))
    up = stepped(down[-1].job, seen(at=after(3)))
    assert [types(each) for each in (*down, up)] == [
        [EventType.POLL_FAILED],
        [],
        [EventType.POLL_RECOVERED],
    ]
    assert up.job.watch.last_error is None


def flapping(times: int) -> tuple[Job, list[JobEvent]]:
    job, events = a_running_job(), list[JobEvent]()
    for number in range(times):
        down = failed_poll(at=after(2 * number + 1))
        for sight in (down, seen(at=after(2 * number + 2))):
            decision = stepped(job, sight)
            job = decision.job
            events += decision.events
    return job, events


def test_a_flapping_service_is_noted_at_growing_distance() -> None:
    job, events = flapping(1000)
    failures = [event for event in events if event.type is EventType.POLL_FAILED]
    # The first eight, and the 16th, 32nd, …, 512th; each recovery only where its failure is told.
    assert len(failures) == 8 + 6
    assert len(events) == 2 * len(failures)
    left_out = [event.data.get("left_out", 0) for event in failures]
    assert left_out == [0] * 8 + [7, 15, 31, 63, 127, 255]
    assert job.watch.last_error is None


def test_a_service_that_words_each_failure_anew_is_too() -> None:
    job, events = a_running_job(), list[JobEvent]()
    for number in range(1000):
        sight = failed_poll(at=after(number + 1), message=f"request {number} failed")
        decision = stepped(job, sight)
        job, events = decision.job, [*events, *decision.events]
    assert len(events) == 8 + 6
    assert job.watch.last_error is not None
    assert job.watch.last_error.message == "request 999 failed"


def test_failed_polls_back_off_and_a_refused_key_waits_longest() -> None:
    def wait_after(kind: FailureKind, times: int) -> float:
        job = watched(a_running_job(), [failed_poll(kind, at=after(i)) for i in range(times)])
        assert job.watch.next_poll_at is not None
        return (job.watch.next_poll_at - after(times - 1)).total_seconds()

    waits = [wait_after(FailureKind.UNAVAILABLE, times) for times in (2, 4, 8)]
    assert waits == pytest.approx([10, 40, 640])
    assert wait_after(FailureKind.AUTH, 1) > 800


@pytest.mark.parametrize(
    ("at_seconds", "state"),
    [((1, 100, 200), State.RUNNING), ((1, 299), State.RUNNING), ((1, 150, 302), State.LOST)],
)
def test_a_job_is_lost_only_when_missing_beyond_the_grace(
    at_seconds: tuple[int, ...], state: State
) -> None:
    misses = [failed_poll(FailureKind.MISSING, at=after(at)) for at in at_seconds]
    assert watched(a_running_job(), misses).state is State.RUNNING  # Nobody tried the connection.
    assert watched(a_running_job(), misses, missing_is_proven=True).state is state


def test_a_no_such_job_counts_only_in_a_row() -> None:
    """Two 404s with ninety-two 503s between them are two hiccups, not a lost training."""
    missing, down = FailureKind.MISSING, FailureKind.UNAVAILABLE
    outage = [failed_poll(down, at=after(10 + 5 * n)) for n in range(92)]
    whats = [failed_poll(missing, at=after(1)), *outage, failed_poll(missing, at=after(500))]
    whats += [failed_poll(missing, at=after(at)) for at in (550, 600, 650)]
    job = watched(a_running_job(), whats, missing_is_proven=True)
    assert job.state is State.RUNNING
    assert (job.watch.missing_in_a_row, job.watch.missing_since) == (4, after(500))


def test_a_sight_dated_by_a_clock_that_was_ahead_hides_nothing() -> None:
    ahead = watched(a_running_job(), [seen(at=after(3600))])
    corrected = step(ahead, seen(State.SUCCEEDED, at=after(45)), after(45), RULES, Pace())
    assert corrected.job.state is State.SUCCEEDED


def test_a_job_that_turns_up_again_has_its_whole_grace_again() -> None:
    missing = FailureKind.MISSING
    job = watched(
        a_running_job(),
        [
            failed_poll(missing, at=after(1)),
            failed_poll(missing, at=after(200)),
            seen(at=after(201)),
        ],
    )
    job = watched(job, [failed_poll(missing, at=after(at)) for at in (300, 301, 302, 400)])
    assert job.state is State.RUNNING


def test_cancelled_means_that_the_service_said_so() -> None:
    asked = request_cancel(a_running_job(), "ann", after(5))
    assert asked.send_cancel
    assert (asked.job.state, asked.job.may_still_cost) == (State.CANCELLING, True)
    sent = cancel_sent(asked.job, after(6)).job
    still = watched(sent, [seen(State.RUNNING, at=after(7))])
    assert still.state is State.CANCELLING
    gone = watched(still, [seen(State.CANCELLED, at=after(8))])
    assert (gone.end_reason, gone.may_still_cost) == (EndReason.CANCEL_CONFIRMED, False)


def test_a_job_that_finished_before_the_cancel_reached_it_has_succeeded() -> None:
    asked = request_cancel(a_running_job(), "ann", after(5)).job
    assert watched(asked, [seen(State.SUCCEEDED, at=after(6))]).state is State.SUCCEEDED


def test_a_cancel_that_was_not_sent_is_asked_for_again_at_the_next_look() -> None:
    asked = request_cancel(a_running_job(), "ann", after(5)).job
    assert stepped(asked, seen(at=after(6))).send_cancel
    assert not stepped(cancel_sent(asked, after(7)).job, seen(at=after(8))).send_cancel


def test_what_was_never_sent_is_cancelled_at_once() -> None:
    done = request_cancel(a_job(), "ann", after(1))
    assert done.job.end_reason is EndReason.CANCELLED_BEFORE_START
    assert not done.send_cancel


def test_a_deadline_cancels_and_the_end_says_why() -> None:
    job = a_running_job(deadline_at=after(60))
    late = stepped(job, seen(at=after(61)))
    assert late.send_cancel
    assert types(late) == [EventType.DEADLINE_PASSED, EventType.JOB_STATE_CHANGED]
    ended = watched(late.job, [seen(State.CANCELLED, at=after(70))])
    assert (ended.state, ended.end_reason) == (State.EXPIRED, EndReason.DEADLINE_EXCEEDED)


def test_a_deadline_where_nothing_can_be_cancelled_says_that_it_still_runs() -> None:
    job = a_running_job(deadline_at=after(60))
    late = stepped(job, failed_poll(at=after(61)), WatchRules(can_cancel=False)).job
    assert late.end_reason is EndReason.DEADLINE_EXCEEDED_STILL_RUNNING
    assert late.may_still_cost


def test_a_reason_that_contradicts_the_state_is_not_believed() -> None:
    odd = seen(State.FAILED, at=after(5), end_reason=EndReason.CANCEL_CONFIRMED)
    job = watched(a_running_job(), [odd])
    assert (job.state, job.end_reason) == (State.FAILED, EndReason.SERVICE_FAILED)
    killed = seen(State.FAILED, at=after(5), end_reason=EndReason.SIGNAL, signal="SIGKILL")
    assert watched(a_running_job(), [killed]).end_reason is EndReason.SIGNAL


def test_progress_that_begins_anew_forgets_its_old_pace() -> None:
    whats = [seen(at=after(i), progress=p) for i, p in ((1, 0.5), (2, 0.8), (3, 0.1))]
    assert watched(a_running_job(), whats).seen.progress_trail == ((after(3), 0.1),)


def test_a_service_whose_clock_is_ahead_does_not_start_jobs_in_the_future() -> None:
    tomorrow = NOON + timedelta(days=1)
    job = a_job(state=State.QUEUED, handle={"id": "t"})
    at = NOON + timedelta(seconds=9)
    running = step(job, seen(at=at, started_at=tomorrow), at, WatchRules(), Pace()).job
    assert running.started_at == at
    later = NOON + timedelta(seconds=20)
    done = seen(State.SUCCEEDED, at=later, started_at=tomorrow, ended_at=tomorrow)
    ended = step(running, done, later, WatchRules(), Pace()).job
    assert ended.started_at == ended.ended_at == later
