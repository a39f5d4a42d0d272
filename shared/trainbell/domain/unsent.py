"""A job of which nothing is at the service yet: it waits for its turn, or ends by its own doing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from trainbell.domain.events import EventType
from trainbell.domain.failure import FailureKind
from trainbell.domain.job import CancelCause, EndReason, Job, State
from trainbell.domain.polling import Pace, retry_wait_seconds
from trainbell.domain.recording import Decision, Recorder


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
    return replace(ended, events=decision.events + ended.events)
