"""A schedule is due: its job is requested, once for each due time, whatever is repeated."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from trainbell.domain.access import Caller
from trainbell.domain.job import Job
from trainbell.domain.schedule_times import next_due_of
from trainbell.domain.settings import Schedule
from trainbell.errors import ConfigInvalid, Conflict, IdempotencyConflict, InputInvalid, NotFound
from trainbell.ports import JobQuery
from trainbell.use_cases.ground.changing import change_setting
from trainbell.use_cases.ground.services import Services, log
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.schedules.scheduled_job import (
    DUE_AT_TAG,
    due_text,
    scheduled_body,
    scheduled_key,
)

KEY_IS_GOOD_FOR = timedelta(hours=7)
"""An idempotency key lives 8 hours. A due time that is later than this is looked up instead."""

NOTES_KEPT = 5
"""So many troubles stand in a schedule's `last_error` at once."""


def run_schedule(
    services: Services, name: str, due_at: datetime, *, missed_since: datetime | None = None
) -> Job | None:
    """Request the job of one due time, and record on the schedule what came of it.

    Returns the job, also where an earlier call had requested it; None where there is none: the
    schedule is gone or disabled; or, and then the schedule's `last_error` says so, a later due time
    has run already, or the request is refused (the next due time is tried anew).

    `missed_since`: the first of the due times before this one that nobody was there to run. They
    are skipped, and the schedule says so.

    Raises:
        StoreUnavailable, StoreFull: nothing is recorded; call again with the same due time.
    """
    schedule = services.store.get_config(Schedule, name)
    if schedule is None or not schedule.enabled:
        return None
    # A due time of the future was run by a clock that was ahead: it stands in nobody's way.
    last = schedule.last_due_at
    if last is not None and due_at <= last <= services.clock.now():
        if due_at == last:
            return _job_of(services, schedule)
        return _late(services, schedule, due_at)
    job, error = _request(services, schedule, due_at)
    if error is None and missed_since is not None:
        error = f"not run at {due_text(missed_since)}, and up to {due_text(due_at)}: nobody was up"
    if error is not None:
        log.warning("schedule %s at %s: %s", name, due_text(due_at), error)
    _record(services, schedule, due_at, job, error)
    return job


def _job_of(services: Services, schedule: Schedule) -> Job | None:
    """The job of the schedule's last due time, unless it was refused or is deleted."""
    if schedule.last_job_id is None:
        return None
    try:
        return services.store.get(schedule.last_job_id)
    except NotFound:
        return None


def _request(
    services: Services, schedule: Schedule, due_at: datetime
) -> tuple[Job | None, str | None]:
    """The job of this due time, or why there is none."""
    if services.clock.now() - due_at > KEY_IS_GOOD_FOR:
        known = _find(services, schedule, due_at)
        if known is not None:
            return known, None
    try:
        job, _ = request_job(
            services,
            scheduled_body(schedule, due_at),
            by=Caller.schedule(schedule.name),
            idempotency_key=scheduled_key(schedule.name, due_at),
            schedule=schedule.name,
        )
    except IdempotencyConflict:
        # It was requested already; then the schedule's job was changed, and this call is a repeat.
        return _find(services, schedule, due_at), None
    except (InputInvalid, NotFound, Conflict, ConfigInvalid) as exc:
        return None, str(exc)
    return job, None


def _find(services: Services, schedule: Schedule, due_at: datetime) -> Job | None:
    query = JobQuery(project=schedule.project, tag=(DUE_AT_TAG, due_text(due_at)))
    while True:
        page = services.store.list(query)
        for job in page.items:
            if job.origin.schedule == schedule.name:
                return job
        if page.next_cursor is None:
            return None
        query = replace(query, cursor=page.next_cursor)


def _record(
    services: Services, ran: Schedule, due_at: datetime, job: Job | None, error: str | None
) -> None:
    """On the schedule as it is by now: somebody may have changed, disabled or deleted it."""

    def recorded(stored: Schedule | None) -> Schedule | None:
        if stored is None or stored.created_at != ran.created_at:
            return None  # Deleted; another one of that name has nothing to do with this run.
        if stored.last_due_at is not None and stored.last_due_at > due_at:
            return None if error is None else _noted(stored, error)
        # Not from now: a due time that came while this one was run is not missed.
        after = max(due_at, stored.updated_at or due_at)
        return replace(
            stored,
            last_due_at=due_at,
            last_job_id=job.id if job is not None else None,
            last_error=error,
            next_due_at=next_due_of(stored, after),
        )

    change_setting(services, Schedule, ran.name, recorded)


def _late(services: Services, schedule: Schedule, due_at: datetime) -> Job | None:
    """A due time after whose successor has run. It is skipped, and the schedule says so; where it
    had run before, this is a repeat, and nothing is to be said."""
    job = _find(services, schedule, due_at)
    if job is not None:
        return job
    note = f"not run at {due_text(due_at)}: it came after a later due time had run"
    log.warning("schedule %s: %s", schedule.name, note)

    def noted(stored: Schedule | None) -> Schedule | None:
        return None if stored is None else _noted(stored, note)

    change_setting(services, Schedule, schedule.name, noted)
    return None


def _noted(schedule: Schedule, note: str) -> Schedule | None:
    """With the note beside what went wrong before; None where it is there already."""
    notes = schedule.last_error.split("; ") if schedule.last_error else []
    if note in notes:
        return None
    return replace(schedule, last_error="; ".join([*notes, note][-NOTES_KEPT:]))
