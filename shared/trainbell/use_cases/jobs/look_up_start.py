"""A start whose answer was lost: looked up at the service, adopted, or proven not to be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from trainbell.domain import starting
from trainbell.domain.failure import CONNECTION_MOVED, Failure, FailureKind
from trainbell.domain.job import Job
from trainbell.ports import Found, StartOrder
from trainbell.use_cases.ground.door import Door, Later, try_door
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.places import come_back
from trainbell.use_cases.jobs.start_job import take_up


def look_up_start(services: Services, job: Job) -> Job:
    """Does nothing during the sender's lease: until then it may still be at it.

    Raises:
        StoreError: the store failed; nothing is known to have changed.
    """
    lease_until, looked_at = job.start.lease_until, services.clock.now()
    if lease_until is not None and looked_at < lease_until:
        return job
    door = try_door(services, job)
    if isinstance(door, Failure):
        return _failed(services, job, door)
    found = door.ask(
        lambda service: service.find(StartOrder.of(job)), place=job.watch.reserved_call_at
    )
    if isinstance(found, Later):
        return come_back(services, job, found)
    if isinstance(found, Failure):
        return _failed(services, job, found)
    if not found:
        return _found_nothing(services, job, door, looked_at)
    return _found(services, job, door, found)


def _found(services: Services, job: Job, door: Door, found: Found) -> Job:
    """Adopt it; of several, the first, and the others are an alarm."""
    handles = [found] if isinstance(found, Mapping) else list(found)
    adopted = take_up(services, job, handles[0], door, adopted=True)
    if len(handles) == 1:
        return adopted
    now = services.clock.now()
    return record(services, adopted, lambda each: starting.doubled(each, handles[1:], now))[0]


def _found_nothing(services: Services, job: Job, door: Door, looked_at: datetime) -> Job:
    attempt, now, settling = job.start.attempts, services.clock.now(), door.settling
    if job.start.sent_to not in (None, door.connection.leads_to):
        failure, pace = _moved(door, now), services.pace(job, now)
        return record(
            services,
            job,
            lambda each: starting.sent_elsewhere(each, attempt, failure, now, pace),
        )[0]
    return record(
        services,
        job,
        lambda each: starting.not_found(each, attempt, looked_at, now, settling),
    )[0]


def _moved(door: Door, now: datetime) -> Failure:
    message = (
        f"connection {door.connection.name} was changed since the start was sent, and what it "
        "leads to now does not know this job: change it back, or, where nothing of it runs, have "
        "it sent again"
    )
    return Failure(kind=FailureKind.UNCLEAR, type=CONNECTION_MOVED, message=message, at=now)


def _failed(services: Services, job: Job, failure: Failure) -> Job:
    attempt, now = job.start.attempts, services.clock.now()
    pace = services.pace(job, now)
    return record(
        services, job, lambda each: starting.look_up_failed(each, attempt, failure, now, pace)
    )[0]
