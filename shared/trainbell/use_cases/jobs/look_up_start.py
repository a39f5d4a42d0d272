"""A start whose answer was lost: looked up at the service, adopted, or proven not to be."""

from __future__ import annotations

from trainbell.domain import starting
from trainbell.domain.failure import Failure
from trainbell.domain.job import Job
from trainbell.ports import StartOrder
from trainbell.use_cases.ground.door import Door, Later, try_door
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.places import come_back
from trainbell.use_cases.jobs.start_job import leave_unclear, take_up


def look_up_start(services: Services, job: Job) -> Job:
    """Does nothing during the sender's lease: until then it may still be at it.

    Raises:
        StoreError: the store failed; nothing is known to have changed.
    """
    if job.start.lease_until is not None and services.clock.now() < job.start.lease_until:
        return job
    door = try_door(services, job)
    if isinstance(door, Failure):
        return leave_unclear(services, job, door)
    found = door.ask(
        lambda service: service.find(StartOrder.of(job)), place=job.watch.reserved_call_at
    )
    if isinstance(found, Later):
        return come_back(services, job, found)
    if isinstance(found, Failure):
        return leave_unclear(services, job, found)  # A look-up that fails proves nothing.
    if found is None:
        return _found_nothing(services, job, door)
    return take_up(services, job, found, door, adopted=True)


def _found_nothing(services: Services, job: Job, door: Door) -> Job:
    now, settle = services.clock.now(), door.spec.settle_seconds
    return record(services, job, lambda current: starting.not_found(current, now, settle))[0]
