"""A request becomes a job: checked, stored exactly once, and given to a watcher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from trainbell.domain.events import EventType
from trainbell.domain.job import Job, WhenBusy
from trainbell.domain.recording import Recorder
from trainbell.ports import IdempotencyToken
from trainbell.use_cases.find_connection import find_connection
from trainbell.use_cases.holds import busy_holds, name_hold
from trainbell.use_cases.job_request import JobRequest, check_idempotency_key, check_job_request
from trainbell.use_cases.recording_jobs import change_of
from trainbell.use_cases.services import Services, log

TOKEN_LIVES_FOR = timedelta(hours=8)


def request_job(
    services: Services,
    body: Mapping[str, Any],
    *,
    by: str,
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
        HoldTaken: the name is in use; or, with `when_busy` refuse, the dataset or all slots are.
    """
    request = check_job_request(services, body)
    job = _job_of(services, request, by)
    job = replace(job, schedule=schedule, retry_of=retry_of)
    token = None
    if idempotency_key is not None:
        check_idempotency_key(idempotency_key)
        expires_at = job.created_at + TOKEN_LIVES_FOR
        token = IdempotencyToken(job.project, idempotency_key, request.fingerprint(), expires_at)
    holds = _holds_at_request(services, job)
    recorder = Recorder(replace(job, holds=holds), job.created_at)
    recorder.note(EventType.JOB_REQUESTED, {"by": by, "retry_of": retry_of, "schedule": schedule})
    stored, is_new = services.store.create(change_of(recorder.decide(), take=holds), token)
    if is_new:
        _watch(services, stored)
    return stored, is_new


def _job_of(services: Services, request: JobRequest, by: str) -> Job:
    now = services.clock.now()
    return Job(
        id=services.new_job_id(),
        provider=request.provider,
        connection=request.connection or request.provider,
        kind=request.kind or "",
        created_at=now,
        updated_at=now,
        next_poll_at=now,
        project=request.project,
        name=request.name,
        parameters=request.parameters,
        dataset=request.dataset,
        model=request.model,
        tags=request.tags,
        deadline_at=request.deadline(now),
        when_busy=request.when_busy,
        min_interval_seconds=request.min_interval_seconds,
        max_interval_seconds=request.max_interval_seconds,
        requested_by=by,
    )


def _holds_at_request(services: Services, job: Job) -> tuple[str, ...]:
    holds = (name_hold(job.project, job.name),) if job.name is not None else ()
    if job.when_busy is WhenBusy.WAIT:
        return holds
    spec = services.providers.spec(job.provider)
    return holds + busy_holds(services, job, spec, find_connection(services, job.connection))


def _watch(services: Services, job: Job) -> None:
    try:
        services.watchers.watch(job)
    except Exception:  # the job is kept; the reconciler gives it a watcher
        log.exception("job %s has no watcher yet", job.id)
