"""Times that a clock wrote which was ahead, and has been corrected since, bind nobody.

An hour's jump would otherwise hide a job for an hour after the correction, a restart included.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from trainbell.domain.events import EventType
from trainbell.domain.job import CancelCause, Job, State
from trainbell.domain.outbox import OutboxEntry
from trainbell.domain.polling import longest_wait_seconds
from trainbell.domain.recording import Decision, Recorder
from trainbell.domain.schedule_times import next_due_of
from trainbell.domain.searching import SEARCH_LAST_SECONDS
from trainbell.domain.settings import Schedule
from trainbell.domain.starting import START_LEASE_SECONDS

CLOCKS_DIFFER_BY = timedelta(seconds=2)
"""Less than that is no jump: two machines, or a clock that is being slewed."""


def rewound(job: Job, now: datetime) -> Decision:
    """A job that was written by a clock that is ahead of this one is looked at now. Any other stays
    as it is. A start that may be in flight is looked up when its lease is over."""
    written = (
        job.created_at,
        job.updated_at,
        job.start.sent_at,
        job.cancel.requested_at,
        job.cancel.tried_at,
        job.seen.at,
        job.watch.last_polled_at,
    )
    if job.due_at is None or not (_any_ahead(written, now) or _waits_too_long(job, now)):
        return Decision(job)
    record = Recorder(job, now)
    lease = now + timedelta(seconds=START_LEASE_SECONDS)
    record.start(
        sent_at=_at_most(job.start.sent_at, now),
        sent_by=_at_most(job.start.sent_by, lease),
        lease_until=_at_most(job.start.lease_until, lease),
    )
    record.cancel(
        requested_at=_at_most(job.cancel.requested_at, now),
        tried_at=_at_most(job.cancel.tried_at, now),
    )
    if _was_late_by_that_clock_alone(job, now):
        _take_back_deadline(record)
    # When it was seen is not known; nothing that is asked from now on is older.
    record.seen(at=None if job.seen.at is not None and job.seen.at > now else job.seen.at)
    record.watch(
        next_poll_at=max(now, record.job.start.lease_until or now),
        last_polled_at=_at_most(job.watch.last_polled_at, now),
        missing_since=_at_most(job.watch.missing_since, now),
        reserved_call_at=None,
    )
    return record.decide()


def _was_late_by_that_clock_alone(job: Job, now: datetime) -> bool:
    """A cancel that the service has taken cannot be taken back."""
    return (
        job.cancel.cause is CancelCause.DEADLINE
        and job.cancel.sent_at is None
        and job.order.deadline_at is not None
        and job.order.deadline_at > now
    )


def _take_back_deadline(record: Recorder) -> None:
    record.cancel(requested_at=None, requested_by=None, cause=None, tried_at=None)
    record.note(EventType.DEADLINE_TAKEN_BACK)
    if record.job.state is State.CANCELLING:
        record.uncancel()


def rewound_entry(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    """An entry that was made or tried by such a clock is due now."""
    if not _any_ahead((entry.created_at, entry.tried_at), now):
        return entry
    return replace(entry, created_at=min(entry.created_at, now), due_at=min(entry.due_at, now))


def rewound_schedule(schedule: Schedule, now: datetime) -> Schedule:
    """A schedule that such a clock set or ran is due when it is by this one. A due time that was
    run already is asked for under its own key again, which gives the job of then."""
    if not _any_ahead((schedule.updated_at, schedule.last_due_at), now):
        return schedule
    last = schedule.last_due_at
    return replace(
        schedule,
        updated_at=_at_most(schedule.updated_at, now),
        last_due_at=None if last is not None and last > now else last,
        next_due_at=next_due_of(schedule, now),
    )


def _waits_too_long(job: Job, now: datetime) -> bool:
    """Longer than any rule lets it. A look-up that found nothing, and a place in a rate budget,
    leave no other time behind. To look once too often does no harm."""
    longest = max(longest_wait_seconds(job), SEARCH_LAST_SECONDS if job.is_ended else 0.0)
    next_look = job.watch.next_poll_at
    return next_look is not None and next_look > now + timedelta(seconds=longest) + CLOCKS_DIFFER_BY


def _any_ahead(moments: tuple[datetime | None, ...], now: datetime) -> bool:
    limit = now + CLOCKS_DIFFER_BY
    return any(moment is not None and moment > limit for moment in moments)


def _at_most(moment: datetime | None, limit: datetime) -> datetime | None:
    return None if moment is None else min(moment, limit)
