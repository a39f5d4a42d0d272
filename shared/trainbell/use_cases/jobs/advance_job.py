"""One look at one job, whatever it needs now: to be started, looked up, polled or cancelled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from trainbell.domain.job import Job, State
from trainbell.domain.lifecycle import WatchRules, replace_watcher, step
from trainbell.domain.observation import Observation, PollFailure
from trainbell.domain.recording import Decision
from trainbell.errors import StoreError
from trainbell.use_cases.ground.reaching_services import (
    Route,
    failure_of,
    handle_of,
    keep_silence,
    pace_of,
    place_in_line,
    route_of,
)
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.cancel_job import send_cancel
from trainbell.use_cases.jobs.start_job import resolve_start, start_job


@dataclass(frozen=True, slots=True)
class Advance:
    """`wait_seconds` is None once the job has ended; otherwise whole seconds, at least 1.

    `superseded`: another watcher has this job now; stop. `handed_over`: the watcher that comes
    next has the number `job.watch.number`.
    """

    job: Job
    wait_seconds: int | None
    superseded: bool = False
    handed_over: bool = False


def advance_job(
    services: Services, job_id: str, *, watch: int | None = None, hand_over: bool = False
) -> Advance:
    """Look once and store what it means.

    `watch` is the caller's watcher number, None where one process is the only watcher.
    `hand_over` asks for a fresh watcher, if the job goes on.

    Raises:
        NotFound: no such job.
        StoreError: the store failed; nothing is known to have changed.
    """
    job = services.store.get(job_id)
    if watch is not None and watch != job.watch.number:
        return Advance(job, None, superseded=True)
    if job.state in (State.REQUESTED, State.WAITING):
        job = start_job(services, job_id)
    elif job.start_is_unclear:
        job = resolve_start(services, job)
    elif not job.is_ended:
        job = _poll(services, job)
    if job.is_ended:
        return Advance(job, None)
    if hand_over:
        now = services.clock.now()
        job, _ = record(services, job, lambda current: replace_watcher(current, now, "hand-over"))
    return Advance(job, _wait_seconds(job, services.clock.now()), handed_over=hand_over)


def _poll(services: Services, job: Job) -> Job:
    now = services.clock.now()
    try:
        route = route_of(services, job)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - a wrong setting never ends a job
        return _record_step(services, job, failure_of(error, now), None)
    later = place_in_line(services, job, route, now)
    if later is not None:
        return later
    try:
        seen: Observation | PollFailure = route.client.poll(handle_of(job))
    except Exception as error:  # noqa: BLE001 - a failed poll never ends a job
        seen = failure_of(error, now)
        keep_silence(services, route, seen, now)
    return _record_step(services, job, seen, route)


def _record_step(
    services: Services, job: Job, seen: Observation | PollFailure, route: Route | None
) -> Job:
    now = services.clock.now()
    rules = route.rules if route else WatchRules()
    pace = pace_of(services, job, now)

    def decide(current: Job) -> Decision:
        return step(current, seen, now, rules, pace)

    saved, decision = record(services, job, decide)
    if decision.send_cancel and route is not None and not saved.is_ended:
        return send_cancel(services, saved, route)
    return saved


def _wait_seconds(job: Job, now: datetime) -> int:
    due = job.watch.next_poll_at or now
    return max(1, math.ceil((due - now).total_seconds()))
