"""Moving out: nothing is begun here any more, and what is exported then is the importer's."""

from __future__ import annotations

from dataclasses import dataclass

from trainbell.domain.access import Caller
from trainbell.domain.job import ACTIVE_STATES, State
from trainbell.domain.moving import taken_back
from trainbell.domain.settings import Departure
from trainbell.ports import JobQuery
from trainbell.use_cases.ground.changing import change_setting
from trainbell.use_cases.ground.departure import NAME
from trainbell.use_cases.ground.recording import record_moved
from trainbell.use_cases.ground.services import Services, log

_MAY_BE_WATCHED = ACTIVE_STATES | {State.LOST}
_JOBS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class TakenBack:
    """`next_project` and `next_cursor` say where to go on; the first is None at the end."""

    jobs: int
    next_project: str | None = None
    next_cursor: str | None = None


def depart(services: Services, *, by: Caller) -> Departure:
    """From now on nothing is requested, started by a schedule, or told here. The jobs are watched
    on, each until it is exported. A repeat changes nothing."""
    begun = Departure(begun_at=services.clock.now(), by=by.id)
    put = change_setting(
        services, Departure, NAME, lambda stored: begun if stored is None else stored
    )
    assert put is not None  # noqa: S101 - it always gives one
    return put[0]


def take_back(
    services: Services, project: str | None = None, cursor: str | None = None
) -> TakenBack:
    """Watch again what was marked, page by page; with the last page the departure is over. Only
    where nobody has imported it: two would watch the same jobs.

    Raises:
        InputInvalid: the cursor is of another list.
    """
    known = services.store.projects()
    project = project if project is not None else next(iter(known), None)
    count = 0
    if project is not None:
        query = JobQuery(
            project=project, states=_MAY_BE_WATCHED, limit=_JOBS_AT_ONCE, cursor=cursor
        )
        page = services.store.list(query)
        count = sum(_watch_again(services, job.id) for job in page.items if job.has_moved)
        if page.next_cursor is not None:
            return TakenBack(count, project, page.next_cursor)
        later = [name for name in known if name > project]
        if later:
            return TakenBack(count, later[0])
    services.store.delete_config(Departure, NAME)
    return TakenBack(count)


def _watch_again(services: Services, job_id: str) -> bool:
    now = services.clock.now()
    job = services.store.get(job_id)
    job = record_moved(services, job, lambda each: taken_back(each, now))
    if job.is_ended:
        return True
    try:
        services.watchers.watch(job)
    except Exception:  # the job is due; the reconciler gives it a watcher
        log.exception("job %s has no watcher yet", job.id)
    return True
