"""A connection was changed: jobs that waited for a person to mend it are looked at again now."""

from __future__ import annotations

from datetime import timedelta

from trainbell.domain.job import Job
from trainbell.domain.lifecycle import replace_watcher
from trainbell.domain.recording import Decision
from trainbell.errors import ConfigInvalid, NotFound, ProviderAuthFailed
from trainbell.use_cases.recording_jobs import record
from trainbell.use_cases.services import Services, log

JOBS_AT_MOST = 1000
"""So many are looked at at once; the rest at their own time, within their longest interval."""

_FAR = timedelta(days=3650)
_READ_AT_MOST = 50_000
_MENDABLE = frozenset(each.__name__ for each in (ProviderAuthFailed, ConfigInvalid, NotFound))


def look_again(services: Services, connection: str) -> int:
    """Give a fresh watcher to each active job whose last look failed for want of a good key.

    Returns how many. What fails here is logged: those jobs are looked at at their own time.
    """
    now = services.clock.now()
    # Every active job has a time of its next look; an ended one has none.
    active = services.store.due(now + _FAR, _READ_AT_MOST, per_connection=_READ_AT_MOST)
    waiting = [due.id for due in active if due.connection == connection and due.due_at > now]
    woken = 0
    for job_id in waiting[:JOBS_AT_MOST]:
        try:
            woken += _look_at_once(services, services.store.get(job_id))
        except NotFound:
            continue
        except Exception:
            log.exception("job %s is not looked at again before its time", job_id)
    return woken


def _look_at_once(services: Services, job: Job) -> bool:
    now = services.clock.now()

    def decide(current: Job) -> Decision:
        if current.last_error is None or current.last_error.type not in _MENDABLE:
            return Decision(current)
        return replace_watcher(current, now, "connection changed", look_at_once=True)

    saved, decision = record(services, job, decide)
    if not decision.events:
        return False
    services.watchers.watch(saved)
    return True
