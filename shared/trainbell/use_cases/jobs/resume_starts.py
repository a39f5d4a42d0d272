"""After a restart of the only process, no start is in flight: unclear ones are looked up now."""

from __future__ import annotations

from datetime import timedelta

from trainbell.domain import starting
from trainbell.domain.job import Job
from trainbell.domain.starting import START_LEASE_SECONDS
from trainbell.errors import NotFound, RecordUnreadable
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services

JOBS_AT_MOST = 100_000


def resume_starts(services: Services) -> int:
    """Make every unclear start due at once. Only for an engine that is the only one on its store.

    Returns how many there were.
    """
    now = services.clock.now()

    soon = services.store.due(now + timedelta(seconds=START_LEASE_SECONDS), JOBS_AT_MOST)
    jobs = (_readable(services, due.id) for due in soon)
    unclear = [job for job in jobs if job is not None and job.start_is_unclear]
    for job in unclear:
        record(services, job, lambda current: starting.not_in_flight(current, now))
    return len(unclear)


def _readable(services: Services, job_id: str) -> Job | None:
    """One that cannot be read is set aside, and must not keep all others from being watched."""
    try:
        return services.store.get(job_id)
    except (NotFound, RecordUnreadable):
        return None
