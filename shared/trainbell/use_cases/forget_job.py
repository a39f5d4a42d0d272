"""Forget an ended job: its record, its events and the record of its deliveries."""

from __future__ import annotations

from trainbell.errors import Conflict
from trainbell.use_cases.services import Services


def forget_job(services: Services, job_id: str) -> None:
    """Raises NotFound; Conflict while it has not ended, or JobConflict if it is being written."""
    job = services.store.get(job_id)
    if not job.is_ended:
        raise Conflict(f"job {job.id} has not ended: it is {job.state}. Cancel it first")
    services.store.delete(job)
