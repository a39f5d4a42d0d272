"""A lost job is looked for once more, and again: services lose jobs for hours and have them back.

The end of a lost job stays as it was told. If the service has it after all, a new job watches the
same training, linked to the lost one, and that is told, too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from trainbell.domain.events import EventType
from trainbell.domain.job import Job, Origin, State, Watch
from trainbell.domain.lifecycle import SEARCH_FIRST_SECONDS
from trainbell.domain.recording import Decision, Recorder

SEARCH_FOR = timedelta(days=7)
SEARCH_LAST_SECONDS = 6 * 3600.0


def is_searched_for(job: Job) -> bool:
    return job.state is State.LOST and job.due_at is not None and job.handle is not None


def not_found_again(job: Job, now: datetime) -> Decision:
    """The service does not have it, or cannot be asked: later again, for a week."""
    if not is_searched_for(job):
        return Decision(job)
    lost_for = now - (job.ended_at or now)
    wait = min(SEARCH_LAST_SECONDS, max(SEARCH_FIRST_SECONDS, lost_for.total_seconds() / 4))
    record = Recorder(job, now)
    record.watch(next_poll_at=now + timedelta(seconds=wait) if lost_for < SEARCH_FOR else None)
    return record.decide()


def found_again(lost: Job, new_id: str, holds: tuple[str, ...], now: datetime) -> Decision:
    """The new job that watches what the lost one's service has after all. Its name stays the lost
    one's, since a name belongs to one job."""
    job = Job(
        id=new_id,
        order=replace(lost.order, name=None),
        origin=Origin(requested_by=lost.origin.requested_by, found_again_of=lost.id),
        created_at=now,
        handle=lost.handle,
        started_at=lost.started_at,
        start=replace(lost.start, lease_until=None),
        watch=Watch(next_poll_at=now),
    )
    record = Recorder(job, now)
    record.take(*holds)
    record.note(EventType.JOB_REQUESTED, {"found_again_of": lost.id})
    record.move(State.QUEUED, {"handle": lost.handle, "adopted": True}, type=EventType.JOB_STARTED)
    return record.decide()


def search_ended(lost: Job, found_as: str, now: datetime) -> Decision:
    """The lost job says by which job its training is watched now."""
    if not is_searched_for(lost):
        return Decision(lost)
    record = Recorder(lost, now)
    record.watch(next_poll_at=None)
    record.note(EventType.JOB_FOUND_AGAIN, {"job_id": found_as})
    return record.decide()
