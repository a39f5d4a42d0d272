"""Ended jobs whose time is over are forgotten, project by project; what is untold is told first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from trainbell.domain.job import END_STATES, Job
from trainbell.domain.moving import is_watched
from trainbell.domain.settings import Retention
from trainbell.errors import Conflict, JobConflict, NotFound
from trainbell.ports import JobQuery
from trainbell.use_cases.ground.services import Services, log
from trainbell.use_cases.jobs.forget_job import forget_job

FORGOTTEN_PER_RUN = 200
_LOOKED_AT_PER_PROJECT = 1000


def forget_expired_jobs(services: Services, *, limit: int = FORGOTTEN_PER_RUN) -> int:
    """Forget jobs that ended longer ago than their project keeps them; at most `limit` of them, the
    rest with the next call. One that is still told, or looked for, is kept until that is over.

    Returns how many were forgotten.

    Raises:
        StoreUnavailable, StoreFull: what was forgotten is forgotten; call again.
    """
    forgotten = 0
    for retention in _retentions(services):
        for job in _expired(services, retention):
            if forgotten >= limit:
                return forgotten
            forgotten += _forget(services, job)
    return forgotten


def _retentions(services: Services) -> Iterator[Retention]:
    cursor = None
    while True:
        page = services.store.list_config(Retention, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _expired(services: Services, retention: Retention) -> Iterator[Job]:
    """A job that ended before a moment was made before it."""
    before = services.clock.now() - timedelta(days=retention.days)
    query = JobQuery(project=retention.name, states=END_STATES, created_before=before, limit=100)
    for _ in range(_LOOKED_AT_PER_PROJECT // query.limit):
        page = services.store.list(query)
        for job in page.items:
            if job.ended_at is not None and job.ended_at < before and not is_watched(job):
                yield job
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)


def _forget(services: Services, job: Job) -> bool:
    try:
        forget_job(services, job.id)
    except (Conflict, JobConflict):
        return False  # Something of it is untold, or somebody writes it: kept until the next run.
    except NotFound:
        return False
    log.info("job %s was forgotten: its project's retention is over", job.id)
    return True
