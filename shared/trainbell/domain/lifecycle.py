"""The one lifecycle: what becomes of a watched job, given what a poll saw and the time.

Every watcher (Step Functions, the embedded loop) calls `step`; it is pure, so tests can try any
order of observations: late, repeated, contradictory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trainbell.domain.cancelling import begin_cancelling, cancel_is_unsent
from trainbell.domain.events import EventType
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import END_STATE_OF, CancelCause, EndReason, Job, Performance, State
from trainbell.domain.observation import Observation
from trainbell.domain.performance_bounds import bounded
from trainbell.domain.polling import Pace, next_wait_seconds, retry_wait_seconds
from trainbell.domain.recording import MOVES, Decision, Recorder
from trainbell.domain.size_bounds import bounded_failure, bounded_observation
from trainbell.domain.troubles import is_noted, note_trouble

UNKNOWN_STATUSES_KEPT = 16
TRAIL_POINTS_KEPT = 8
MISSING_POLLS_BEFORE_LOST = 3
SEARCH_FIRST_SECONDS = 300.0
"""How soon after its end a lost job is looked for; then less and less often (`searching`)."""


@dataclass(frozen=True, slots=True)
class WatchRules:
    """What a provider declares that the lifecycle needs to know.

    `missing_grace_seconds`: for how long "no such job" is taken for a hiccup of the service.
    """

    can_cancel: bool = True
    missing_grace_seconds: float = 300.0


def step(
    job: Job,
    seen: Observation | Failure,
    now: datetime,
    rules: WatchRules,
    pace: Pace,
    *,
    missing_is_proven: bool = False,
) -> Decision:
    """Decide what one poll means. An ended job, or one without a handle, stays as it is.

    `missing_is_proven`: should the service say that it does not know the job, then this is so
    (`may_be_lost`, and whoever asked has tried the connection since).

    1. Count the poll; an observation older than the last one changes nothing else.
    2. Take over what the service said, and move if `MOVES` allows it.
    3. If the deadline has passed and the job has not ended: cancel, or expire.
    4. Say when to look again.
    """
    if job.is_ended or job.handle is None:
        return Decision(job)
    record = Recorder(job, now)
    record.watch(polls=job.watch.polls + 1, last_polled_at=now, reserved_call_at=None)
    if isinstance(seen, Failure):
        _take_failure(record, seen, now, rules, missing_is_proven)
    elif not _is_stale(job, seen.seen_at, now):
        _take_observation(record, job, seen, now)
    if not record.job.is_ended:
        _watch_deadline(record, now, rules)
    if record.job.is_ended:
        return record.decide()
    wait = _wait_seconds(record.job, seen, now, pace)
    record.watch(next_poll_at=now + timedelta(seconds=wait))
    return record.decide(send_cancel=cancel_is_unsent(record.job))


def replace_watcher(
    job: Job, now: datetime, reason: str, *, look_at_once: bool = False
) -> Decision:
    """Hand the job to a fresh watcher; the old one notices by the number and stops."""
    if job.is_ended:
        return Decision(job)
    record = Recorder(job, now)
    record.watch(number=job.watch.number + 1)
    if look_at_once:
        record.watch(next_poll_at=now, reserved_call_at=None)
    record.note(EventType.WATCHER_REPLACED, {"reason": reason, "watch": job.watch.number + 1})
    return record.decide()


def wait_for_place(job: Job, place: datetime) -> Decision:
    """The connection's rate budget has no place for the job's next call before `place`."""
    if job.is_ended:
        return Decision(job)
    watch = replace(job.watch, next_poll_at=place, reserved_call_at=place)
    return Decision(replace(job, watch=watch))


def _wait_seconds(job: Job, seen: Observation | Failure, now: datetime, pace: Pace) -> float:
    asked = seen.retry_after_seconds
    if isinstance(seen, Failure) and job.watch.failed_polls_in_a_row:
        return retry_wait_seconds(job, pace, seen.kind, asked, now=now)
    return next_wait_seconds(job, now, pace, retry_after_seconds=asked)


def may_be_lost(job: Job, failure: Failure, now: datetime, rules: WatchRules) -> bool:
    """Whether the service has said often and long enough, and nothing else in between, that it
    does not know the job."""
    if failure.kind is not FailureKind.MISSING or job.watch.missing_since is None:
        return False
    long_enough = (now - job.watch.missing_since).total_seconds() >= rules.missing_grace_seconds
    return long_enough and job.watch.missing_in_a_row + 1 >= MISSING_POLLS_BEFORE_LOST


def _is_stale(job: Job, asked_at: datetime, now: datetime) -> bool:
    """Asked before what is known already. A sight from the future was dated by a wrong clock."""
    return job.seen.at is not None and asked_at <= job.seen.at <= now


def _take_failure(
    record: Recorder, failure: Failure, now: datetime, rules: WatchRules, missing_is_proven: bool
) -> None:
    job = record.job
    if _is_stale(job, failure.at, now):
        return
    failure = bounded_failure(failure)
    news = job.watch.last_error is None or (
        (job.watch.last_error.type, job.watch.last_error.message) != (failure.type, failure.message)
    )
    first = job.watch.failed_polls_in_a_row == 0
    record.watch(failed_polls_in_a_row=job.watch.failed_polls_in_a_row + 1)
    record.error(failure)
    if first or news:
        note_trouble(record, failure)
    if failure.kind is not FailureKind.MISSING:
        record.watch(missing_since=None, missing_in_a_row=0)
        return
    lost = missing_is_proven and may_be_lost(job, failure, now, rules)
    since = job.watch.missing_since or now
    record.watch(missing_since=since, missing_in_a_row=job.watch.missing_in_a_row + 1)
    if lost:
        record.end(EndReason.UNKNOWN_TO_SERVICE, now)
        record.watch(next_poll_at=now + timedelta(seconds=SEARCH_FIRST_SECONDS))


def _take_observation(record: Recorder, job: Job, seen: Observation, now: datetime) -> None:
    """`job` is as it was before this poll."""
    seen, cut = bounded_observation(seen)
    performance, missing = _merged(job.seen.performance, seen.performance)
    if job.watch.failed_polls_in_a_row and is_noted(job.watch.troubles):
        record.note(
            EventType.POLL_RECOVERED, {"after_failed_polls": job.watch.failed_polls_in_a_row}
        )
    record.seen(
        at=seen.seen_at,
        vendor_status=seen.vendor_status,
        stage=seen.stage,
        queue_position=seen.queue_position,
        message=seen.message or job.seen.message,
        performance=performance,
        cut=tuple(sorted({*job.seen.cut, *cut, *missing})),
        exit_code=seen.exit_code if seen.exit_code is not None else job.seen.exit_code,
        signal=seen.signal or job.seen.signal,
    )
    record.watch(failed_polls_in_a_row=0, last_error=_own_error(seen))
    record.watch(missing_since=None, missing_in_a_row=0)
    _take_progress(record, job, seen)
    if seen.state is None:
        _note_unknown_status(record, seen.vendor_status)
    elif seen.state.is_end:
        _take_end(record, seen, now)
    else:
        _take_activity(record, seen, seen.state)


def _own_error(seen: Observation) -> Failure | None:
    """What the service says went wrong with the job itself, where it says so in more than words."""
    if seen.vendor_code is None and seen.error_details is None:
        return None
    return Failure(
        kind=FailureKind.JOB,
        type="JobFailed",
        message=seen.message or seen.vendor_status,
        at=seen.seen_at,
        vendor_code=seen.vendor_code,
        details=seen.error_details,
    )


def _take_progress(record: Recorder, job: Job, seen: Observation) -> None:
    if seen.progress is None or not math.isfinite(seen.progress):
        return
    progress = min(1.0, max(0.0, seen.progress))
    trail = job.seen.progress_trail
    if trail and progress < trail[-1][1]:
        trail = ()  # A training that began anew (spot, retry): its old pace says nothing.
    if not trail or progress > trail[-1][1]:
        trail = (*trail, (seen.seen_at, progress))[-TRAIL_POINTS_KEPT:]
    record.seen(progress=progress, progress_trail=trail)


def _note_unknown_status(record: Recorder, status: str) -> None:
    known = record.job.seen.unknown_statuses
    # A service that puts numbers into its status has endless ones: the first few tell enough.
    if status in known or len(known) >= UNKNOWN_STATUSES_KEPT:
        return
    record.seen(unknown_statuses=(*known, status))
    record.note(EventType.UNKNOWN_STATUS_SEEN, {"vendor_status": status})


def _take_activity(record: Recorder, seen: Observation, state: State) -> None:
    job = record.job
    if state is State.RUNNING and job.started_at is None:
        record.change(started_at=_began(job, seen.started_at or seen.seen_at, seen.seen_at))
    if state is not job.state and state in MOVES[job.state]:
        record.move(state, {"vendor_status": seen.vendor_status})
        record.change(may_still_cost=state is State.CANCELLING)


def _take_end(record: Recorder, seen: Observation, now: datetime) -> None:
    if seen.started_at is not None:
        record.change(started_at=_began(record.job, seen.started_at, now))
    if seen.state is State.SUCCEEDED:
        record.seen(progress=1.0)
    record.change(may_still_cost=False)
    data = {"vendor_status": seen.vendor_status}
    record.end(_end_reason(record.job, seen), min(seen.ended_at or seen.seen_at, now), data)


def _began(job: Job, told: datetime, now: datetime) -> datetime:
    """What a service tells, between the request and now: its clock may be wrong."""
    return min(max(told, job.created_at), max(now, job.created_at))


def _end_reason(job: Job, seen: Observation) -> EndReason:
    if seen.state is State.CANCELLED:
        if job.cancel.cause is CancelCause.DEADLINE:
            return EndReason.DEADLINE_EXCEEDED
        if job.cancel.requested_at is None:
            return EndReason.CANCELLED_AT_SERVICE
        return EndReason.CANCEL_CONFIRMED
    if seen.end_reason is not None and END_STATE_OF[seen.end_reason] is seen.state:
        return seen.end_reason
    return {
        State.SUCCEEDED: EndReason.COMPLETED,
        State.FAILED: EndReason.SERVICE_FAILED,
        State.EXPIRED: EndReason.DEADLINE_EXCEEDED,
    }[seen.state or State.FAILED]


def _watch_deadline(record: Recorder, now: datetime, rules: WatchRules) -> None:
    job = record.job
    if (
        job.order.deadline_at is None
        or now < job.order.deadline_at
        or job.cancel.requested_at is not None
    ):
        return
    record.note(EventType.DEADLINE_PASSED, {"deadline_at": job.order.deadline_at.isoformat()})
    if rules.can_cancel:
        record.cancel(requested_at=now, requested_by="deadline", cause=CancelCause.DEADLINE)
        begin_cancelling(record)
    else:
        record.change(may_still_cost=True)
        record.end(EndReason.DEADLINE_EXCEEDED_STILL_RUNNING, now)


def _merged(old: Performance, new: Performance) -> tuple[Performance, frozenset[str]]:
    """Later words win, part by part: services drop parts of their answer near the end. With the
    names of the parts that are too much to be kept whole."""
    if not new:
        return old, frozenset()
    merged = Performance(
        metrics={**old.metrics, **new.metrics},
        per_tag={**old.per_tag, **new.per_tag},
        curve=new.curve or old.curve,
        cost={**old.cost, **new.cost},
        artifacts={**old.artifacts, **new.artifacts},
    )
    return bounded(merged)
