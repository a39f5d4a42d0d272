"""A sign that a job has changed at its service brings its next look forward."""

from __future__ import annotations

from trainbell.errors import NotFound, RecordUnreadable
from trainbell.ports import DueJob
from trainbell.use_cases.ground.services import Services


def early_look(services: Services, job_id: str) -> DueJob | None:
    """The job as one that is due now. None where there is nothing to see: nobody knows such a job
    (any more), or it has ended.

    Nothing is stored: a sign that is lost costs only the wait for the next look.

    Raises:
        StoreError: the store failed.
    """
    try:
        job = services.store.get(job_id)
    except (NotFound, RecordUnreadable):
        return None
    return None if job.is_ended else DueJob(job.id, job.order.connection, services.clock.now())
