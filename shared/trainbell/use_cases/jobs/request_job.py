"""A request becomes a job: checked, stored exactly once, and given to a watcher."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from trainbell.domain.access import Caller
from trainbell.domain.events import EventType
from trainbell.domain.job import Job, Origin, Watch
from trainbell.domain.order import WhenBusy
from trainbell.domain.recording import Recorder
from trainbell.ports import IdempotencyToken
from trainbell.use_cases.ground.departure import require_present
from trainbell.use_cases.ground.find_connection import find_connection
from trainbell.use_cases.ground.recording import change_of
from trainbell.use_cases.ground.services import Services, log
from trainbell.use_cases.jobs.holds import busy_holds, name_hold
from trainbell.use_cases.jobs.job_request import (
    JobRequest,
    check_idempotency_key,
    check_job_request,
)

TOKEN_LIVES_FOR = timedelta(hours=8)


def request_job(
    services: Services,
    body: Mapping[str, Any],
    *,
    by: Caller,
    idempotency_key: str | None = None,
    schedule: str | None = None,
    retry_of: str | None = None,
) -> tuple[Job, bool]:
    """Store the job and see to it that somebody drives it. The bool says whether it is new.

    1. Check everything; nothing is stored or sent for a request with any problem.
    2. Store job, token, name and event in one transaction.
    3. Give it to a watcher. Should that fail, the reconciler does it: the job is already kept.

    Raises:
        InputInvalid: with all problems.
        IdempotencyConflict: the key was used with other input in the last 8 hours.
        Conflict: this installation's jobs have moved to another one.
        HoldTaken: the name is in use; or, with `when_busy` refuse, the dataset or all slots are.
    """
    request = check_job_request(services, body)
    require_present(services)
    origin = Origin(requested_by=by.id, schedule=schedule, retry_of=retry_of)
    job = _job_of(services, request, origin)
    token = None
    if idempotency_key is not None:
        check_idempotency_key(idempotency_key)
        expires_at = job.created_at + TOKEN_LIVES_FOR
        token = IdempotencyToken(
            job.order.project, idempotency_key, request.fingerprint(), expires_at
        )
    holds = _holds_at_request(services, job)
    recorder = Recorder(job, job.created_at)
    recorder.take(*holds)
    recorder.note(
        EventType.JOB_REQUESTED, {"by": by.id, "retry_of": retry_of, "schedule": schedule}
    )
    stored, is_new = services.store.create(change_of(recorder.decide()), token)
    if is_new:
        _watch(services, stored)
    return stored, is_new


def _job_of(services: Services, request: JobRequest, origin: Origin) -> Job:
    now = services.clock.now()
    return Job(
        id=services.new_job_id(),
        order=request.order(now),
        origin=origin,
        created_at=now,
        updated_at=now,
        watch=Watch(next_poll_at=now),
    )


def _holds_at_request(services: Services, job: Job) -> tuple[str, ...]:
    holds = (name_hold(job.order.project, job.order.name),) if job.order.name is not None else ()
    if job.order.when_busy is WhenBusy.WAIT:
        return holds
    spec = services.providers.spec(job.order.provider)
    return holds + busy_holds(services, job, spec, find_connection(services, job.order.connection))


def _watch(services: Services, job: Job) -> None:
    try:
        services.watchers.watch(job)
    except Exception:  # the job is kept; the reconciler gives it a watcher
        log.exception("job %s has no watcher yet", job.id)
