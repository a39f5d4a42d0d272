"""Started once: the intent is stored, then the service is called, then its answer is stored.

Whoever stores the intent sends; nobody else does. If this process dies in between, the job stays
in `starting`, and `look_up_start` finds it at the service and adopts it.
"""

from __future__ import annotations

from dataclasses import replace

from trainbell.domain import starting
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import Job, State
from trainbell.domain.recording import Decision
from trainbell.errors import HoldTaken, JobConflict
from trainbell.ports import Handle, StartOrder
from trainbell.use_cases.ground.door import Door, try_door
from trainbell.use_cases.ground.recording import change_of, record
from trainbell.use_cases.ground.services import Services, log
from trainbell.use_cases.jobs.cancel_job import send_cancel
from trainbell.use_cases.jobs.holds import busy_holds
from trainbell.use_cases.jobs.places import come_back

UNSENT = (State.REQUESTED, State.WAITING)


def start_job(services: Services, job: Job) -> Job:
    """Bring a requested or waiting job to its service.

    1. What ended by its own cancel or deadline is not sent.
    2. No place in the rate budget, or no slot: it comes back later.
    3. Store the intent; who loses this race leaves the rest to the winner.
    4. Call the service; store what it answered.

    Raises:
        NotFound: the job was deleted meanwhile.
        StoreError: the store failed; what was sent is looked up later, never repeated blindly.
    """
    now = services.clock.now()
    job, _ = record(services, job, lambda current: starting.settle_unsent(Decision(current), now))
    if job.state not in UNSENT:
        return job
    door = try_door(services, job)
    if isinstance(door, Failure):
        return _postpone(services, job, door)
    later = door.later(job.watch.reserved_call_at)
    if later is not None:
        return come_back(services, job, later)
    job, won = _store_intent(services, job, door)
    return _send(services, job, door) if won else job


def take_up(
    services: Services, job: Job, handle: Handle, door: Door, *, adopted: bool = False
) -> Job:
    """The service has it: keep the handle, and pass on a cancel that came meanwhile."""
    now = services.clock.now()
    pace = services.pace(job, now)
    saved, decision = record(
        services,
        job,
        lambda current: starting.accepted(current, handle, now, pace, adopted=adopted),
    )
    if saved.handle is None:
        log.error("job %s ended before its start was answered; at its service: %s", job.id, handle)
    return send_cancel(services, saved, handle, door) if decision.send_cancel else saved


def leave_unclear(services: Services, job: Job, failure: Failure) -> Job:
    """Whatever it was, the start may have been taken."""
    now = services.clock.now()
    pace = services.pace(job, now)
    return record(services, job, lambda current: starting.unclear(current, failure, now, pace))[0]


def _store_intent(services: Services, job: Job, door: Door) -> tuple[Job, bool]:
    """The job as it is then, and whether this call is the one that may send."""
    now = services.clock.now()
    try:
        holds = busy_holds(services, job, door.spec, door.connection)
        decision = starting.begin(replace(job, holds=(*job.holds, *holds)), now)
        return services.store.save(change_of(decision, take=holds)), True
    except HoldTaken as taken:
        key, holder, pace = taken.key, taken.holder, services.pace(job, now)
        job, _ = record(
            services, job, lambda current: starting.held_back(current, key, holder, now, pace)
        )
        return job, False
    except JobConflict:
        return services.store.get(job.id), False


def _send(services: Services, job: Job, door: Door) -> Job:
    answer = door.ask_at_once(lambda service: service.start(StartOrder.of(job)))
    if not isinstance(answer, Failure):
        return take_up(services, job, answer, door)
    failure = answer
    if failure.kind is FailureKind.REJECTED:
        now = services.clock.now()
        return record(services, job, lambda current: starting.refused(current, failure, now))[0]
    if failure.kind.proves_nothing_taken:
        return _postpone(services, job, failure)
    return leave_unclear(services, job, failure)


def _postpone(services: Services, job: Job, failure: Failure) -> Job:
    now = services.clock.now()
    pace = services.pace(job, now)

    def decide(current: Job) -> Decision:
        # Somebody else has begun an attempt of their own meanwhile: this failure is not its.
        if current.start.attempts != job.start.attempts:
            return Decision(current)
        return starting.postponed(current, failure, now, pace)

    return record(services, job, decide)[0]
