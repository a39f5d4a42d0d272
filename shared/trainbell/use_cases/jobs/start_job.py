"""Started once: the intent is stored, then the service is called, then its answer is stored.

Whoever stores the intent sends; nobody else does. If this process dies in between, `advance_job`
finds the job in `starting`, looks it up at the service and adopts it.
"""

from __future__ import annotations

from dataclasses import replace

from trainbell.domain import starting
from trainbell.domain.job import Job, State
from trainbell.domain.recording import Decision
from trainbell.errors import (
    HoldTaken,
    JobConflict,
    ProviderAuthFailed,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
    StoreError,
    TrainbellError,
)
from trainbell.ports import StartOrder
from trainbell.use_cases.ground.reaching_services import (
    Route,
    failure_of,
    keep_silence,
    pace_of,
    place_in_line,
    route_of,
)
from trainbell.use_cases.ground.recording import change_of, record
from trainbell.use_cases.ground.services import Services, log
from trainbell.use_cases.jobs.cancel_job import send_cancel
from trainbell.use_cases.jobs.holds import busy_holds


def start_job(services: Services, job_id: str) -> Job:
    """Bring a requested or waiting job to its service. Any other job is returned as it is.

    1. What ended by its own cancel or deadline is not sent.
    2. No place in the rate budget, or no slot: it comes back later.
    3. Store the intent; who loses this race leaves the rest to the winner.
    4. Call the service; store what it answered.

    Raises:
        NotFound: no such job.
        StoreError: the store failed; what was sent is looked up later, never repeated blindly.
    """
    job = services.store.get(job_id)
    if job.state not in (State.REQUESTED, State.WAITING):
        return job
    now = services.clock.now()
    job, _ = record(services, job, lambda current: starting.settle_unsent(Decision(current), now))
    if job.state not in (State.REQUESTED, State.WAITING):
        return job
    try:
        route = route_of(services, job)
    except StoreError:
        raise
    except TrainbellError as error:
        return _postpone(services, job, error)
    later = place_in_line(services, job, route, now)
    if later is not None:
        return later
    job, won = _store_intent(services, job, route)
    return _send(services, job, route) if won else job


def _store_intent(services: Services, job: Job, route: Route) -> tuple[Job, bool]:
    """The job as it is then, and whether this call is the one that may send."""
    now = services.clock.now()
    try:
        holds = busy_holds(services, job, route.spec, route.connection)
        decision = starting.begin(replace(job, holds=(*job.holds, *holds)), now)
        return services.store.save(change_of(decision, take=holds)), True
    except HoldTaken as taken:
        key, holder, pace = taken.key, taken.holder, pace_of(services, job, now)
        job, _ = record(
            services, job, lambda current: starting.held_back(current, key, holder, now, pace)
        )
        return job, False
    except JobConflict:
        return services.store.get(job.id), False


def _send(services: Services, job: Job, route: Route) -> Job:
    try:
        handle = route.client.start(StartOrder.of(job))
    except ProviderRejected as error:
        failure, now = failure_of(error, services.clock.now()), services.clock.now()
        return record(services, job, lambda current: starting.refused(current, failure, now))[0]
    except (ProviderUnavailable, ProviderThrottled, ProviderAuthFailed) as error:
        keep_silence(services, route, failure_of(error, services.clock.now()), services.clock.now())
        return _postpone(services, job, error)
    except Exception as error:  # noqa: BLE001 - whatever it was, the start may have been taken
        return _unclear(services, job, error)
    now, pace = services.clock.now(), pace_of(services, job, services.clock.now())
    saved, decision = record(
        services, job, lambda current: starting.accepted(current, handle, now, pace)
    )
    if saved.handle is None:
        log.error("job %s ended before its start was answered; at its service: %s", job.id, handle)
    return send_cancel(services, saved, route) if decision.send_cancel else saved


def _postpone(services: Services, job: Job, error: TrainbellError) -> Job:
    now = services.clock.now()
    failure, pace = failure_of(error, now), pace_of(services, job, now)

    def decide(current: Job) -> Decision:
        # Somebody else has begun an attempt of their own meanwhile: this failure is not its.
        if current.start.attempts != job.start.attempts:
            return Decision(current)
        return starting.postponed(current, failure, now, pace)

    return record(services, job, decide)[0]


def _unclear(services: Services, job: Job, error: Exception) -> Job:
    now = services.clock.now()
    failure, pace = failure_of(error, now), pace_of(services, job, now)
    return record(services, job, lambda current: starting.unclear(current, failure, now, pace))[0]


def resolve_start(services: Services, job: Job) -> Job:
    """Look up a start whose answer was lost: adopt it, or prove that it never was.

    Does nothing during the sender's lease: until then it may still be at it.
    """
    now = services.clock.now()
    if not job.start_is_unclear:
        return job
    if job.start.lease_until is not None and now < job.start.lease_until:
        return job
    try:
        route = route_of(services, job)
        later = place_in_line(services, job, route, now)
        if later is not None:
            return later
        handle = route.client.find(StartOrder.of(job))
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - a look-up that fails in any way proves nothing
        return _unclear(services, job, error)
    now, pace = services.clock.now(), pace_of(services, job, services.clock.now())
    if handle is None:
        settle = route.spec.settle_seconds
        return record(services, job, lambda current: starting.not_found(current, now, settle))[0]
    found = handle
    saved, decision = record(
        services, job, lambda current: starting.accepted(current, found, now, pace, adopted=True)
    )
    return send_cancel(services, saved, route) if decision.send_cancel else saved
