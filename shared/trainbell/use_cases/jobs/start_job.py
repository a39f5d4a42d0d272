"""Started once: the intent is stored, then the service is called, then its answer is stored.

Whoever stores the intent sends; nobody else does. If this process dies in between, the job stays
in `starting`, and `look_up_start` finds it at the service and adopts it.
"""

from __future__ import annotations

from datetime import datetime

from trainbell.domain import starting, unsent
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import Job, State
from trainbell.domain.recording import Decision
from trainbell.errors import HoldTaken, JobConflict
from trainbell.ports import Handle, StartOrder
from trainbell.use_cases.ground.door import Door, try_door
from trainbell.use_cases.ground.recording import change_of, record
from trainbell.use_cases.ground.services import Services, log
from trainbell.use_cases.jobs.cancel_job import send_cancel
from trainbell.use_cases.jobs.holds import busy_holds, handle_hold
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
    job, _ = record(services, job, lambda current: unsent.settle_unsent(Decision(current), now))
    if job.state not in UNSENT:
        return job
    door = try_door(services, job)
    if isinstance(door, Failure):
        return _postpone(services, job, door)
    trouble = door.trouble()  # Before the intent: what cannot be sent is no attempt.
    if trouble is not None:
        return _postpone(services, job, trouble)
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
    holds, moved_at = (handle_hold(door, handle),), door.connection.moved_at

    def decide(each: Job) -> Decision:
        return starting.accepted(
            each, handle, now, pace, holds=holds, adopted=adopted, moved_at=moved_at
        )

    try:
        saved, decision = record(services, job, decide)
    except HoldTaken as taken:
        holder = taken.holder
        return record(services, job, lambda each: starting.belongs_to_another(each, holder, now))[0]
    if saved.has_moved:
        log.warning("job %s has moved in the middle of its start; it is looked up there", job.id)
    elif saved.handle != handle:
        log.error("job %s has a second training at its service: %s", job.id, handle)
    return send_cancel(services, saved, handle, door) if decision.send_cancel else saved


def _store_intent(services: Services, job: Job, door: Door) -> tuple[Job, bool]:
    """The job as it is then, and whether this call is the one that may send."""
    now = services.clock.now()
    try:
        holds = busy_holds(services, job, door.spec, door.connection)
        decision = starting.begin(job, now, holds, sent_to=door.connection.leads_to)
        return services.store.save(change_of(decision)), True
    except HoldTaken as taken:
        key, holder, pace = taken.key, taken.holder, services.pace(job, now)
        job, _ = record(
            services, job, lambda current: unsent.held_back(current, key, holder, now, pace)
        )
        return job, False
    except JobConflict:
        return services.store.get(job.id), False


def _send(services: Services, job: Job, door: Door) -> Job:
    attempt, now = job.start.attempts, services.clock.now()
    if not starting.may_still_send(job, now):
        return _postpone(services, job, _too_late(now))
    answer = door.ask_at_once(lambda service: service.start(StartOrder.of(job)))
    if not isinstance(answer, Failure):
        return take_up(services, job, answer, door)
    failure, now = answer, services.clock.now()
    if failure.kind is FailureKind.REJECTED:
        return record(services, job, lambda each: starting.refused(each, attempt, failure, now))[0]
    if failure.kind.proves_nothing_taken:
        return _postpone(services, job, failure)
    pace = services.pace(job, now)
    return record(services, job, lambda each: starting.unclear(each, attempt, failure, now, pace))[
        0
    ]


def _postpone(services: Services, job: Job, failure: Failure) -> Job:
    attempt, now = job.start.attempts, services.clock.now()
    pace = services.pace(job, now)
    return record(
        services, job, lambda each: starting.postponed(each, attempt, failure, now, pace)
    )[0]


def _too_late(now: datetime) -> Failure:
    message = "this process slept too long between deciding to send the start and sending it"
    return Failure(kind=FailureKind.UNAVAILABLE, type="SenderLate", message=message, at=now)
