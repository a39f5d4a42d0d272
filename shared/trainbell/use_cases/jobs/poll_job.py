"""One poll: ask the service for an observation, and record what it means."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from trainbell.domain.cancelling import cancel_comes_first
from trainbell.domain.failure import CONNECTION_MOVED, Failure, FailureKind
from trainbell.domain.job import CancelCause, Job
from trainbell.domain.lifecycle import WatchRules, may_be_lost, step
from trainbell.domain.observation import Observation
from trainbell.domain.recording import Decision
from trainbell.ports import Handle
from trainbell.use_cases.ground.door import Door, Later, try_door
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.cancel_job import send_cancel
from trainbell.use_cases.jobs.places import come_back


def poll_job(services: Services, job: Job, handle: Handle) -> Job:
    """Look at a job that its service has.

    1. A cancel that waits for its turn takes it: polls and cancels of a job alternate, so that
       neither starves the other under a rate budget.
    2. Poll, and record the observation, or the failure. That the service does not know the job is
       believed only after the connection was tried: a wrong address knows no job either.
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
    rules = door.rules(job.order.kind)
    proven = False
    if isinstance(seen, Failure) and may_be_lost(job, seen, services.clock.now(), rules):
        doubt = _doubt(job, seen, door)
        seen, proven = doubt or seen, doubt is None
    moved_at = door.connection.moved_at
    saved, decision = _record(
        services, job, seen, rules, missing_is_proven=proven, moved_at=moved_at
    )
    return send_cancel(services, saved, handle, door) if decision.send_cancel else saved


def _doubt(job: Job, missing: Failure, door: Door) -> Failure | None:
    """What else "no such job" may mean, as the same failure in other words; None where the
    connection is as it was, and works.

    A connection whose address or key was changed since the service last showed the job proves
    nothing, unless a person has asked for a cancel since and so is content with its end.
    """
    moved_at = door.connection.moved_at
    if moved_at is not None and moved_at != job.seen.moved_at:
        by_a_person = job.cancel.cause is CancelCause.REQUESTED
        cancelled_at = job.cancel.requested_at if by_a_person else None
        if cancelled_at is None or cancelled_at < moved_at:
            message = (
                f"connection {door.connection.name} was changed, and what it leads to now does not "
                "know this job: change it back, or cancel the job"
            )
            return replace(missing, type=CONNECTION_MOVED, message=message)
    checked = door.ask(lambda service: service.check())
    if isinstance(checked, Failure):
        return replace(checked, kind=FailureKind.MISSING)
    if isinstance(checked, Later):
        wait = (checked.at - missing.at).total_seconds()
        return replace(missing, retry_after_seconds=wait)
    return None


def _record(
    services: Services,
    job: Job,
    seen: Observation | Failure,
    rules: WatchRules,
    *,
    missing_is_proven: bool = False,
    moved_at: datetime | None = None,
) -> tuple[Job, Decision]:
    now = services.clock.now()
    pace = services.pace(job, now)
    return record(
        services,
        job,
        lambda each: step(
            each,
            seen,
            now,
            rules,
            pace,
            missing_is_proven=missing_is_proven,
            moved_at=moved_at,
        ),
    )
