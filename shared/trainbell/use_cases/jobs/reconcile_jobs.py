"""The safety net: an active job that nobody looked at in time gets a watcher again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from trainbell.domain.lifecycle import replace_watcher
from trainbell.errors import NotFound, RecordUnreadable
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services, log
from trainbell.use_cases.jobs.advance_job import advance_job

OVERDUE_AFTER_SECONDS = 120.0
JOBS_PER_RUN = 500


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """`rewatched` jobs got a new watcher; `failed` ones did not and come again next time.
    `unreadable`: how many records of any kind are set aside."""

    rewatched: int
    failed: int
    unreadable: int = 0


def reconcile_jobs(
    services: Services, *, overdue_after_seconds: float = OVERDUE_AFTER_SECONDS
) -> ReconcileReport:
    """Give overdue jobs a fresh watcher, the longest overdue first.

    The watcher number goes up first: should the old one be only slow, it notices and stops.

    Raises:
        StoreUnavailable: the list of overdue jobs could not be read.
    """
    now = services.clock.now()
    overdue = services.store.due(now - timedelta(seconds=overdue_after_seconds), JOBS_PER_RUN)
    rewatched = failed = 0
    for due in overdue:
        try:
            job = services.store.get(due.id)
            if job.is_ended:
                advance_job(services, job.id)  # A lost one is looked for; it needs no watcher.
                continue
            job, _ = record(services, job, lambda each: replace_watcher(each, now, "overdue"))
            services.watchers.watch(job)
            rewatched += 1
        except (NotFound, RecordUnreadable):
            continue  # Gone; or set aside by the store, which said so.
        except Exception:  # one job that cannot be mended must not keep the others from it
            log.exception("job %s could not get a new watcher", due.id)
            failed += 1
    services.store.purge_expired(now)
    services.store.readmit()
    return ReconcileReport(rewatched, failed, sum(services.store.unreadable().values()))
