"""A connection that a person must mend: what is wrong with it, and its jobs once it is mended."""

from __future__ import annotations

from trainbell.domain.failure import CONNECTION_MOVED, Failure
from trainbell.domain.job import Job
from trainbell.domain.lifecycle import replace_watcher
from trainbell.domain.recording import Decision
from trainbell.errors import ConfigInvalid, NotFound, ProviderAuthFailed, RecordUnreadable
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services, log

JOBS_AT_MOST = 1000
"""So many are looked at at once; the rest at their own time, within their longest interval."""

JOBS_ASKED = 20

_MENDABLE = frozenset(
    {CONNECTION_MOVED, *(each.__name__ for each in (ProviderAuthFailed, ConfigInvalid, NotFound))}
)


def what_is_wrong(services: Services, connection: str) -> Failure | None:
    """What the latest of this connection's jobs say that only a person can mend; None if nothing.

    Jobs that wait for a person wait the longest, so those whose next look is furthest are asked.
    """
    errors = []
    for each in services.store.active(connection, JOBS_ASKED):
        try:
            error = services.store.get(each.id).watch.last_error
        except (NotFound, RecordUnreadable):
            continue
        if error is not None and error.type in _MENDABLE:
            errors.append(error)
    return max(errors, key=lambda error: error.at, default=None)


def look_again(services: Services, connection: str, *, line_is_free: bool = False) -> int:
    """Give a fresh watcher to each active job whose last look failed for want of a good key, or,
    where the line of calls has become free, that waits for its place in it.

    Returns how many. What fails here is logged: those jobs are looked at at their own time.
    """
    woken = 0
    for each in services.store.active(connection, JOBS_AT_MOST):
        try:
            woken += _look_at_once(services, services.store.get(each.id), line_is_free)
        except (NotFound, RecordUnreadable):
            continue
        except Exception:
            log.exception("job %s is not looked at again before its time", each.id)
    return woken


def _look_at_once(services: Services, job: Job, line_is_free: bool) -> bool:
    now = services.clock.now()

    def decide(current: Job) -> Decision:
        error, place = current.watch.last_error, current.watch.reserved_call_at
        is_mendable = error is not None and error.type in _MENDABLE
        waits_in_line = line_is_free and place is not None and place > now
        if not (is_mendable or waits_in_line):
            return Decision(current)
        return replace_watcher(current, now, "connection changed", look_at_once=True)

    saved, decision = record(services, job, decide)
    if not decision.events:
        return False
    services.watchers.watch(saved)
    return True
