"""A service tells by itself that something has changed: look at the job at once.

The event is only a reason to look. What it says is never taken for the truth, so events that come
late, twice or out of order, and even forged ones, do no harm; and one that is lost costs no more
than the wait for the next poll.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from trainbell.domain.ids import job_id_at_the_end
from trainbell.domain.job import Job
from trainbell.domain.lifecycle import replace_watcher
from trainbell.domain.recording import Decision
from trainbell.errors import NotFound
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services

CLOCKS_DIFFER_BY = timedelta(seconds=2)
"""Events tell their time in whole seconds, and by another clock than ours."""


def poll_on_event(services: Services, name: str, occurred_at: datetime) -> Job | None:
    """Give the job that its service calls `name` a fresh watcher, which looks at it at once.

    1. The job's id is the end of the name, and its handle must hold the whole name. A job without
       a handle is being started or looked up, and its watcher is at it.
    2. A job that was seen after the event, or is about to be, is left to its watcher.
    3. The watcher number goes up, so that the sleeping watcher stops when it wakes.

    Returns the job that got a watcher; None where there was nothing to do.

    Raises:
        StoreError: the store failed; or the watcher could not be started.
    """
    job_id = job_id_at_the_end(name)
    if job_id is None:
        return None
    try:
        job = services.store.get(job_id)
    except NotFound:
        return None  # Of another installation in this account, or deleted.
    now, known_by = services.clock.now(), occurred_at + CLOCKS_DIFFER_BY

    def decide(current: Job) -> Decision:
        if name not in (current.handle or {}).values() or _sees_it(current, known_by, now):
            return Decision(current)
        return replace_watcher(current, now, "event of the service", look_at_once=True)

    saved, decision = record(services, job, decide)
    if not decision.events:
        return None
    services.watchers.watch(saved)
    return saved


def _sees_it(job: Job, known_by: datetime, now: datetime) -> bool:
    """Whether a look was taken after the event, or is due now and was ordered after it."""
    if job.seen.at is not None and job.seen.at >= known_by:
        return True
    return job.watch.next_poll_at is not None and known_by <= job.watch.next_poll_at <= now
