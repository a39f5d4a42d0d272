"""One poll: ask the service for an observation, and record what it means."""

from __future__ import annotations

from trainbell.domain.failure import Failure
from trainbell.domain.job import Job
from trainbell.domain.lifecycle import WatchRules, cancel_comes_first, step
from trainbell.domain.observation import Observation
from trainbell.domain.recording import Decision
from trainbell.ports import Handle
from trainbell.use_cases.ground.door import Later, try_door
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.cancel_job import send_cancel
from trainbell.use_cases.jobs.places import come_back


def poll_job(services: Services, job: Job, handle: Handle) -> Job:
    """Look at a job that its service has.

    1. A cancel that waits for its turn takes it: polls and cancels of a job alternate, so that
       neither starves the other under a rate budget.
    2. Poll, and record the observation, or the failure.
    3. A cancel that is still to be sent, or follows from what was seen, is sent.

    Raises:
        StoreError: the store failed; nothing is known to have changed.
    """
    door = try_door(services, job)
    if isinstance(door, Failure):
        return _record(services, job, door, WatchRules())[0]
    if cancel_comes_first(job):
        job = send_cancel(services, job, handle, door)
    seen = door.ask(lambda service: service.poll(handle), place=job.watch.reserved_call_at)
    if isinstance(seen, Later):
        return come_back(services, job, seen)
    saved, decision = _record(services, job, seen, door.rules(job.order.kind))
    return send_cancel(services, saved, handle, door) if decision.send_cancel else saved


def _record(
    services: Services, job: Job, seen: Observation | Failure, rules: WatchRules
) -> tuple[Job, Decision]:
    now = services.clock.now()
    pace = services.pace(job, now)
    return record(services, job, lambda current: step(current, seen, now, rules, pace))
