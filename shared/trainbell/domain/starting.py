"""Started once: intent first, then the service, then the handle.

The order of writes is the promise. `begin` is stored before anything is sent, and its winner alone
sends. What the service answered is stored by exactly one of the others. A process that dies in
between leaves a job in `starting` without a handle: its start is unclear, and it is looked up at
the service and adopted; only a look-up that found nothing after the service has settled allows
another attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from trainbell.domain.events import EventType
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import CancelCause, EndReason, Job, State
from trainbell.domain.lifecycle import begin_cancelling, cancel_is_unsent
from trainbell.domain.polling import Pace, next_wait_seconds, retry_wait_seconds
from trainbell.domain.recording import Decision, Recorder

START_LEASE_SECONDS = 60.0
"""For how long a start may be in flight, unless its sender says earlier that it is not."""


def begin(job: Job, now: datetime) -> Decision:
    """Write the intent. Whoever stores this decision sends the start, and nobody else does."""
    record = Recorder(job, now)
    attempt = job.start.attempts + 1
    lease_until = now + timedelta(seconds=START_LEASE_SECONDS)
    record.start(sent_at=now, attempts=attempt, lease_until=lease_until)
    record.watch(next_poll_at=lease_until, reserved_call_at=None)
    record.move(State.STARTING, {"attempt": attempt}, type=EventType.START_ATTEMPTED)
    return record.decide()


def accepted(
    job: Job, handle: Mapping[str, Any], now: datetime, pace: Pace, *, adopted: bool = False
) -> Decision:
    """The service has the job: keep its handle. `adopted` says that a look-up found it."""
    if job.is_ended or job.handle is not None:
        return Decision(job)
    record = Recorder(job, now)
    record.change(handle=dict(handle))
    record.watch(failed_polls_in_a_row=0, last_error=None)
    record.move(
        State.QUEUED, {"handle": dict(handle), "adopted": adopted}, type=EventType.JOB_STARTED
    )
    if job.cancel.requested_at is not None:
        begin_cancelling(record)
    wait = next_wait_seconds(record.job, now, pace)
    record.watch(next_poll_at=now + timedelta(seconds=wait))
    return record.decide(send_cancel=cancel_is_unsent(record.job))


def refused(job: Job, failure: Failure, now: datetime) -> Decision:
    """The service refuses this input for good: the job failed, and nothing runs."""
    if job.is_ended or job.handle is not None:
        return Decision(job)
    record = Recorder(job, now)
    record.error(failure)
    record.seen(message=failure.message)
    record.end(EndReason.START_REJECTED, now, {"error": failure.type})
    return record.decide()


def postponed(job: Job, failure: Failure, now: datetime, pace: Pace) -> Decision:
    """The service surely did not take it (down, throttled, wrong key): try again later."""
    if job.is_ended or job.handle is not None:
        return Decision(job)
    record = Recorder(job, now)
    record.watch(failed_polls_in_a_row=job.watch.failed_polls_in_a_row + 1)
    record.error(failure)
    asked = failure.retry_after_seconds
    wait = retry_wait_seconds(record.job, pace, failure.kind, asked, now=now)
    record.start(sent_at=None, lease_until=None)
    record.watch(next_poll_at=now + timedelta(seconds=wait))
    data = {"error": failure.type, "message": failure.message}
    if job.state is State.STARTING:
        record.move(State.REQUESTED, data, type=EventType.START_POSTPONED)
    elif job.watch.last_error is None or job.watch.last_error.message != failure.message:
        record.note(EventType.START_POSTPONED, data)
    return settle_unsent(record.decide(), now)


def unclear(job: Job, failure: Failure, now: datetime, pace: Pace) -> Decision:
    """The start was sent and its answer is lost, or a look-up failed: look (again) soon."""
    if job.is_ended or job.handle is not None:
        return Decision(job)
    record = Recorder(job, now)
    record.watch(failed_polls_in_a_row=job.watch.failed_polls_in_a_row + 1)
    record.error(failure)
    asked = failure.retry_after_seconds
    wait = retry_wait_seconds(record.job, pace, failure.kind, asked, now=now)
    record.start(lease_until=None)
    record.watch(next_poll_at=now + timedelta(seconds=wait))
    if job.watch.last_error is None or job.watch.last_error.message != failure.message:
        data = {"error": failure.type, "message": failure.message}
        record.note(EventType.START_UNCLEAR, data)
    return record.decide()


def not_in_flight(job: Job, now: datetime) -> Decision:
    """The sender is known to be gone (this engine was restarted, and is the only one)."""
    if not job.start_is_unclear:
        return Decision(job)
    record = Recorder(job, now)
    record.start(lease_until=None)
    record.watch(next_poll_at=now)
    return record.decide()


def not_found(job: Job, now: datetime, settle_seconds: float) -> Decision:
    """A look-up found nothing. Before the service has settled that proves nothing.

    Nor does it while the start may still be in flight, however soon the service settles.
    """
    if not job.start_is_unclear or job.start.sent_at is None:
        return Decision(job)
    record = Recorder(job, now)
    settled_at = job.start.sent_at + timedelta(seconds=settle_seconds)
    if job.start.lease_until is not None:
        settled_at = max(settled_at, job.start.lease_until)
    if now < settled_at:
        soon = now + timedelta(seconds=job.order.min_interval_seconds)
        record.watch(next_poll_at=min(soon, settled_at))
        return record.decide()
    data = {"attempt": job.start.attempts}
    record.start(sent_at=None, lease_until=None)
    record.watch(next_poll_at=now, failed_polls_in_a_row=0)
    record.move(State.REQUESTED, data, type=EventType.START_NOT_FOUND)
    return settle_unsent(record.decide(), now)


def held_back(job: Job, hold: str, holder: str, now: datetime, pace: Pace) -> Decision:
    """The dataset or every slot is taken: wait for a turn."""
    if job.state not in (State.REQUESTED, State.WAITING):
        return Decision(job)
    record = Recorder(job, now)
    wait = retry_wait_seconds(job, pace, FailureKind.THROTTLED, None, now=now)
    record.watch(next_poll_at=now + timedelta(seconds=wait))
    if job.state is State.REQUESTED:
        record.move(State.WAITING, {"hold": hold, "holder": holder}, type=EventType.JOB_HELD_BACK)
    return settle_unsent(record.decide(), now)


def settle_unsent(decision: Decision, now: datetime) -> Decision:
    """A job of which nothing is at the service ends by its own cancel or deadline."""
    job = decision.job
    if job.state not in (State.REQUESTED, State.WAITING):
        return decision
    record = Recorder(job, now)
    if job.cancel.requested_at is not None:
        by_deadline = job.cancel.cause is CancelCause.DEADLINE
        record.end(
            EndReason.DEADLINE_EXCEEDED if by_deadline else EndReason.CANCELLED_BEFORE_START, now
        )
    elif job.order.deadline_at is not None and now >= job.order.deadline_at:
        record.note(EventType.DEADLINE_PASSED, {"deadline_at": job.order.deadline_at.isoformat()})
        record.end(EndReason.DEADLINE_EXCEEDED, now)
    else:
        return decision
    ended = record.decide()
    return Decision(ended.job, decision.events + ended.events)
