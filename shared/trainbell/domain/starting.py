"""Started once: intent first, then the service, then the handle.

The order of writes is the promise. `begin` is stored before anything is sent, and its winner alone
sends. What the service answered is stored by exactly one of the others. A process that dies in
between leaves a job in `starting` without a handle: its start is unclear, and it is looked up at
the service and adopted; only a look-up that found nothing after the service has settled allows
another attempt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trainbell.domain.cancelling import begin_cancelling, cancel_is_unsent
from trainbell.domain.events import EventType
from trainbell.domain.failure import Failure
from trainbell.domain.job import EndReason, Job, State
from trainbell.domain.order import OnUnclear
from trainbell.domain.polling import Pace, next_wait_seconds, retry_wait_seconds
from trainbell.domain.recording import Decision, Recorder
from trainbell.domain.unsent import settle_unsent

START_LEASE_SECONDS = 60.0
"""For how long a start may be in flight, unless its sender says earlier that it is not."""

SEND_WITHIN_SECONDS = 5.0
"""How late after the intent a start may be sent: with the whole of its exchange it must end within
the lease."""


@dataclass(frozen=True, slots=True)
class Settling:
    """When a look-up that finds nothing proves that a lost start was never taken.

    `seconds` after the request left here at the latest; `look_ups` of them, each begun after that.
    `repeat_doubles`: the service would take a second start for another training.
    """

    seconds: float = 30.0
    look_ups: int = 1
    repeat_doubles: bool = False


def begin(
    job: Job, now: datetime, holds: Sequence[str] = (), *, sent_to: str | None = None
) -> Decision:
    """Write the intent, and take the keys it needs. Whoever stores this decision sends the start,
    and nobody else does."""
    record = Recorder(job, now)
    record.take(*holds)
    attempt = job.start.attempts + 1
    lease_until = now + timedelta(seconds=START_LEASE_SECONDS)
    record.start(sent_at=now, sent_by=lease_until, lease_until=lease_until)
    record.start(attempts=attempt, clean_look_ups=0, asked_at=None, sent_to=sent_to)
    record.watch(next_poll_at=lease_until, reserved_call_at=None)
    record.move(State.STARTING, {"attempt": attempt}, type=EventType.START_ATTEMPTED)
    return record.decide()


def may_still_send(job: Job, now: datetime) -> bool:
    """Whether the winner of `begin` is in time: one that slept through its lease must not send,
    since others may have looked for its start already."""
    sent_at = job.start.sent_at
    return sent_at is not None and (now - sent_at).total_seconds() <= SEND_WITHIN_SECONDS


def accepted(
    job: Job,
    handle: Mapping[str, Any],
    now: datetime,
    pace: Pace,
    *,
    holds: Sequence[str] = (),
    adopted: bool = False,
    moved_at: datetime | None = None,
) -> Decision:
    """The service has the job: keep its handle, and take the key that makes it this job's alone.

    `adopted` says that a look-up found it; `moved_at` is its connection's.

    A second training of the same job, whenever it is seen, is an alarm: both may cost.
    """
    if job.handle == dict(handle):
        return Decision(job)
    if job.handle is not None:
        return _alarm(job, EventType.DOUBLED_TRAINING, handle, now)
    if job.is_ended:
        return _alarm(job, EventType.ORPHAN_FOUND, handle, now)
    record = Recorder(job, now)
    record.change(handle=dict(handle))
    record.take(*holds)
    record.seen(moved_at=moved_at)
    record.start(lease_until=None, asked_at=None)
    record.watch(failed_polls_in_a_row=0, last_error=None)
    record.move(
        State.QUEUED, {"handle": dict(handle), "adopted": adopted}, type=EventType.JOB_STARTED
    )
    if job.cancel.requested_at is not None:
        begin_cancelling(record)
    wait = next_wait_seconds(record.job, now, pace)
    record.watch(next_poll_at=now + timedelta(seconds=wait))
    return record.decide(send_cancel=cancel_is_unsent(record.job))


def doubled(job: Job, handles: Sequence[Mapping[str, Any]], now: datetime) -> Decision:
    """A look-up found more trainings with this job's mark than the one that it has."""
    record = Recorder(job, now)
    record.change(may_still_cost=True)
    data = {"handles": [dict(each) for each in handles], "watched": job.handle}
    record.note(EventType.DOUBLED_TRAINING, data)
    return record.decide()


def _alarm(job: Job, type: EventType, handle: Mapping[str, Any], now: datetime) -> Decision:
    record = Recorder(job, now)
    record.change(may_still_cost=True)
    record.note(type, {"handles": [dict(handle)], "watched": job.handle})
    return record.decide()


def belongs_to_another(job: Job, holder: str, now: datetime) -> Decision:
    """What the service gave as this job's training is another job's: one watches it, not two."""
    if job.is_ended or job.handle is not None:
        return Decision(job)
    record = Recorder(job, now)
    record.seen(message=f"job {holder} watches this training already")
    record.end(EndReason.ALREADY_WATCHED, now, {"holder": holder})
    return record.decide()


def refused(job: Job, attempt: int, failure: Failure, now: datetime) -> Decision:
    """The service refuses this input for good: the job failed, and nothing runs."""
    if not _is_of(job, attempt):
        return Decision(job)
    record = Recorder(job, now)
    record.error(failure)
    record.seen(message=failure.message)
    record.end(EndReason.START_REJECTED, now, {"error": failure.type})
    return record.decide()


def postponed(job: Job, attempt: int, failure: Failure, now: datetime, pace: Pace) -> Decision:
    """The service surely did not take it (down, throttled, wrong key): try again later."""
    if not _is_of(job, attempt):
        return Decision(job)
    record = Recorder(job, now)
    record.watch(failed_polls_in_a_row=job.watch.failed_polls_in_a_row + 1)
    record.error(failure)
    asked = failure.retry_after_seconds
    wait = retry_wait_seconds(record.job, pace, failure.kind, asked, now=now)
    record.start(sent_at=None, sent_by=None, lease_until=None)
    record.watch(next_poll_at=now + timedelta(seconds=wait))
    data = {"error": failure.type, "message": failure.message}
    if job.state is State.STARTING:
        record.move(State.REQUESTED, data, type=EventType.START_POSTPONED)
    elif job.watch.last_error is None or job.watch.last_error.message != failure.message:
        record.note(EventType.START_POSTPONED, data)
    return settle_unsent(record.decide(), now)


def unclear(job: Job, attempt: int, failure: Failure, now: datetime, pace: Pace) -> Decision:
    """The start was sent and its answer is lost: look it up soon. Only its sender says so."""
    if not _is_of(job, attempt):
        return Decision(job)
    record = Recorder(job, now)
    record.start(lease_until=None, sent_by=min(now, job.start.sent_by or now))
    return _look_again(record, failure, pace)


def look_up_failed(job: Job, attempt: int, failure: Failure, now: datetime, pace: Pace) -> Decision:
    """A look-up that fails proves nothing."""
    if not _is_of(job, attempt):
        return Decision(job)
    return _look_again(Recorder(job, now), failure, pace)


def sent_elsewhere(job: Job, attempt: int, failure: Failure, now: datetime, pace: Pace) -> Decision:
    """The connection leads elsewhere since: that nothing is found there proves nothing. A person is
    asked, and it is looked up on, for the connection may be changed back."""
    if not _is_of(job, attempt):
        return Decision(job)
    record = Recorder(job, now)
    _ask(record, now)
    return _look_again(record, failure, pace)


def not_in_flight(job: Job, now: datetime) -> Decision:
    """The sender is known to be gone (this engine was restarted, and is the only one)."""
    if not job.start_is_unclear:
        return Decision(job)
    record = Recorder(job, now)
    record.start(lease_until=None, sent_by=min(now, job.start.sent_by or now))
    record.watch(next_poll_at=now)
    return record.decide()


def not_found(
    job: Job, attempt: int, looked_at: datetime, now: datetime, settling: Settling
) -> Decision:
    """A look-up that was begun at `looked_at` found nothing.

    Begun before the service had settled it proves nothing, however late its answer came; nor does
    it while the start may still be in flight. Where a repeat would double, one is not enough, and
    with `on_unclear: ask` none is.
    """
    if not _is_of(job, attempt) or not job.start_is_unclear or job.start.sent_by is None:
        return Decision(job)
    record = Recorder(job, now)
    settled_at = job.start.sent_by + timedelta(seconds=settling.seconds)
    if looked_at < settled_at:
        soon = _next_look(job, now, settling)
        record.watch(next_poll_at=max(min(soon, settled_at), now))
        return record.decide()
    clean = job.start.clean_look_ups + 1
    record.start(clean_look_ups=clean)
    if clean < settling.look_ups:
        record.watch(next_poll_at=_next_look(job, now, settling))
        return record.decide()
    if settling.repeat_doubles and job.order.on_unclear is OnUnclear.ASK:
        record.watch(next_poll_at=now + timedelta(seconds=job.order.max_interval_seconds))
        _ask(record, now)
        return record.decide()
    return _given_up(record, now)


def resend(job: Job, by: str, now: datetime) -> Decision:
    """A person has seen that nothing of this job is at the service: it may be sent again."""
    if not job.start_is_unclear or job.start.asked_at is None:
        return Decision(job)
    record = Recorder(job, now)
    record.note(EventType.START_ANSWERED, {"by": by, "answer": "resend"})
    record.watch(number=job.watch.number + 1)
    return _given_up(record, now)


def _is_of(job: Job, attempt: int) -> bool:
    """Whether what an attempt brought still applies: nobody else has begun one since, and no
    answer has come."""
    return not job.is_ended and job.handle is None and job.start.attempts == attempt


def _look_again(record: Recorder, failure: Failure, pace: Pace) -> Decision:
    job, now = record.job, record.now
    record.watch(failed_polls_in_a_row=job.watch.failed_polls_in_a_row + 1)
    record.error(failure)
    asked = failure.retry_after_seconds
    wait = retry_wait_seconds(record.job, pace, failure.kind, asked, now=now)
    record.watch(next_poll_at=now + timedelta(seconds=wait))
    before = job.watch.last_error
    if before is None or before.message != failure.message:
        data = {"error": failure.type, "message": failure.message}
        record.note(EventType.START_UNCLEAR, data)
    return record.decide()


def _next_look(job: Job, now: datetime, settling: Settling) -> datetime:
    """Soon at first, then less often: a third of the time since, within the job's intervals."""
    since = (now - (job.start.sent_at or now)).total_seconds()
    wait = max(job.order.min_interval_seconds, min(since / 3, settling.seconds))
    return now + timedelta(seconds=wait)


def _ask(record: Recorder, now: datetime) -> None:
    if record.job.start.asked_at is None:
        record.start(asked_at=now)
        record.note(EventType.START_NEEDS_ANSWER, {"attempt": record.job.start.attempts})


def _given_up(record: Recorder, now: datetime) -> Decision:
    data = {"attempt": record.job.start.attempts}
    record.start(sent_at=None, sent_by=None, lease_until=None, asked_at=None)
    record.watch(next_poll_at=now, failed_polls_in_a_row=0)
    record.move(State.REQUESTED, data, type=EventType.START_NOT_FOUND)
    return settle_unsent(record.decide(), now)
