"""Cancelled for real: a wish that is stored, a call that is repeated, an end that is confirmed."""

from __future__ import annotations

from datetime import datetime, timedelta

from trainbell.domain.events import EventType
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import CancelCause, EndReason, Job, State
from trainbell.domain.polling import longest_wait_seconds
from trainbell.domain.recording import Decision, Recorder


def request_cancel(job: Job, by: str, now: datetime) -> Decision:
    """A person wants the job cancelled. Asking again changes nothing.

    Nothing was sent yet: it is cancelled for real, at once. Otherwise the wish is recorded and
    the service is told; only the service's confirmation ends the job. `watch` goes up, so that a
    fresh watcher looks at once and the old one, which may sleep for minutes, stops when it wakes.
    A person's wish takes the place of a deadline's, which could not know of a moved connection.
    """
    if job.is_ended or job.cancel.cause is CancelCause.REQUESTED:
        return Decision(job, send_cancel=cancel_is_unsent(job))
    record = Recorder(job, now)
    record.cancel(requested_at=now, requested_by=by)
    record.cancel(cause=CancelCause.REQUESTED)
    record.note(EventType.CANCEL_REQUESTED, {"by": by})
    if job.state in (State.REQUESTED, State.WAITING):
        record.end(EndReason.CANCELLED_BEFORE_START, now)
        return record.decide()
    begin_cancelling(record)
    if record.job.handle is not None:
        record.watch(next_poll_at=now, number=job.watch.number + 1)
    return record.decide(send_cancel=cancel_is_unsent(record.job))


def cancel_sent(job: Job, now: datetime) -> Decision:
    """The service took the cancel call. It has not confirmed the end yet."""
    if job.is_ended or job.cancel.sent_at is not None:
        return Decision(job)
    record = Recorder(job, now)
    record.cancel(sent_at=now)
    record.watch(reserved_call_at=None, next_poll_at=_next_look(job, now))
    record.note(EventType.CANCEL_SENT)
    return record.decide()


def cancel_failed(job: Job, failure: Failure, now: datetime) -> Decision:
    """The service did not take the cancel call: kept with the job, and tried again."""
    if not cancel_is_unsent(job):
        return Decision(job)
    record = Recorder(job, now)
    record.cancel(tried_at=now)
    record.watch(reserved_call_at=None, next_poll_at=_next_look(job, now))
    if failure.kind is not FailureKind.MISSING:
        record.error(failure)
    return record.decide()


def cancel_comes_first(job: Job) -> bool:
    """Whether the next call to the service is the cancel's: they alternate with polls."""
    tried_at, polled_at = job.cancel.tried_at, job.watch.last_polled_at
    return cancel_is_unsent(job) and (
        tried_at is None or (polled_at is not None and polled_at > tried_at)
    )


def cancel_is_unsent(job: Job) -> bool:
    return (
        not job.is_ended
        and job.handle is not None
        and job.cancel.requested_at is not None
        and job.cancel.sent_at is None
    )


def _next_look(job: Job, now: datetime) -> datetime | None:
    """The one that was decided on before the call, which takes its time: meanwhile a clock that
    was ahead may have been corrected."""
    planned, longest = job.watch.next_poll_at, timedelta(seconds=longest_wait_seconds(job))
    return now if planned is not None and planned > now + longest else planned


def begin_cancelling(record: Recorder) -> None:
    # Without a handle the start is still unclear: it is looked up first, then cancelled.
    if record.job.handle is not None and record.job.state is not State.CANCELLING:
        record.move(State.CANCELLING)
        record.change(may_still_cost=True)
