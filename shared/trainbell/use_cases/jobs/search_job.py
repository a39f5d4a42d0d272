"""Look for a job that was taken for lost; adopt it anew where its service has it after all."""

from __future__ import annotations

from trainbell.domain import searching
from trainbell.domain.failure import Failure
from trainbell.domain.job import Job
from trainbell.errors import HoldTaken
from trainbell.ports import Handle
from trainbell.use_cases.ground.door import Door, Later, try_door
from trainbell.use_cases.ground.recording import change_of, record
from trainbell.use_cases.ground.services import Services, log
from trainbell.use_cases.jobs.holds import handle_hold


def search_job(services: Services, lost: Job, handle: Handle) -> Job:
    """One look at the service, and what follows.

    The new job takes the training's own hold, so that a look that is repeated, or whose process
    dies in the middle, makes no second one.

    Raises:
        StoreError: the store failed; the search goes on later.
    """
    door = try_door(services, lost)
    if isinstance(door, Failure):
        return _later(services, lost)
    seen = door.ask(lambda service: service.poll(handle))
    if isinstance(seen, Later | Failure):
        return _later(services, lost)
    found_as = _adopt(services, lost, handle, door)
    now = services.clock.now()
    return record(services, lost, lambda each: searching.search_ended(each, found_as, now))[0]


def _adopt(services: Services, lost: Job, handle: Handle, door: Door) -> str:
    now, holds = services.clock.now(), (handle_hold(door, handle),)
    decision = searching.found_again(lost, services.new_job_id(), holds, now)
    try:
        adopted, _ = services.store.create(change_of(decision))
    except HoldTaken as taken:
        return taken.holder
    try:
        services.watchers.watch(adopted)
    except Exception:  # the job is kept; the reconciler gives it a watcher
        log.exception("job %s has no watcher yet", adopted.id)
    return adopted.id


def _later(services: Services, lost: Job) -> Job:
    now = services.clock.now()
    return record(services, lost, lambda each: searching.not_found_again(each, now))[0]
