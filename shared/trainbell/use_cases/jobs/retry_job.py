"""The same training once more, as a new job that knows the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from trainbell.domain.access import Caller
from trainbell.domain.job import Job
from trainbell.errors import Conflict
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.request_job import request_job


def retry_job(
    services: Services, job_id: str, *, by: Caller, idempotency_key: str | None = None
) -> tuple[Job, bool]:
    """Request an ended job's training again. The bool says whether the job is new.

    The new job has no name, since a name belongs to one job, and a deadline only if the old one
    still lies ahead.

    Raises:
        NotFound: no such job.
        Conflict: it has not ended; or as `request_job`.
        InputInvalid: what was right then is wrong now, e.g. its connection is gone.
    """
    job = services.store.get(job_id)
    if not job.is_ended:
        raise Conflict(f"job {job.id} has not ended: it is {job.state}")
    body = _request_of(services, job)
    return request_job(services, body, by=by, idempotency_key=idempotency_key, retry_of=job.id)


def _request_of(services: Services, job: Job) -> Mapping[str, Any]:
    asked = asdict(job.order)
    del asked["name"]
    if job.order.deadline_at is not None and job.order.deadline_at <= services.clock.now():
        del asked["deadline_at"]
    return asked
