"""One step of one job, whatever it needs now: to be started, looked up, polled, searched for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from trainbell.domain.job import Job
from trainbell.domain.lifecycle import replace_watcher
from trainbell.domain.searching import is_searched_for
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.look_up_start import look_up_start
from trainbell.use_cases.jobs.poll_job import poll_job
from trainbell.use_cases.jobs.search_job import search_job
from trainbell.use_cases.jobs.start_job import UNSENT, start_job


@dataclass(frozen=True, slots=True)
class Advance:
    """`wait_seconds` is None once the job has ended; otherwise whole seconds, at least 1.

    `superseded`: another watcher has this job now; stop. `handed_over`: the watcher that comes
    next has the number `job.watch.number`.
    """

    job: Job
    wait_seconds: int | None
    superseded: bool = False
    handed_over: bool = False


def advance_job(
    services: Services, job_id: str, *, watch: int | None = None, hand_over: bool = False
) -> Advance:
    """Take the step and store what it means.

    `watch` is the caller's watcher number, None where one process is the only watcher.
    `hand_over` asks for a fresh watcher, if the job goes on.

    Raises:
        NotFound: no such job.
        StoreError: the store failed; nothing is known to have changed.
    """
    job = services.store.get(job_id)
    if job.has_moved or (watch is not None and watch != job.watch.number):
        return Advance(job, None, superseded=True)
    job = _step(services, job)
    if job.is_ended:
        return Advance(job, None)
    if job.has_moved:
        return Advance(job, None, superseded=True)
    if hand_over:
        now = services.clock.now()
        job, _ = record(services, job, lambda current: replace_watcher(current, now, "hand-over"))
    return Advance(job, whole_seconds_until_due(job, services.clock.now()), handed_over=hand_over)


def _step(services: Services, job: Job) -> Job:
    if job.handle is not None and is_searched_for(job):
        return search_job(services, job, job.handle)
    if job.is_ended:
        return job
    if job.state in UNSENT:
        return start_job(services, job)
    if job.handle is None:
        return look_up_start(services, job)
    return poll_job(services, job, job.handle)


def whole_seconds_until_due(job: Job, now: datetime) -> int:
    due = job.watch.next_poll_at or now
    return max(1, math.ceil((due - now).total_seconds()))
