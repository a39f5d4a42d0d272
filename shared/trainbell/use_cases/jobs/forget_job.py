"""Forget an ended job: its record, its events, its deliveries, and what lies here of its run."""

from __future__ import annotations

from trainbell.errors import Conflict, TrainbellError
from trainbell.use_cases.ground.door import door_of
from trainbell.use_cases.ground.services import Services, log


def forget_job(services: Services, job_id: str) -> None:
    """Drop it here; what its service keeps stays there.

    Raises:
        NotFound: no such job.
        Conflict: it has not ended, or something of it is still to be told.
        JobConflict: it is being written.
    """
    job = services.store.get(job_id)
    if not job.is_ended and not job.watch.is_copy:
        raise Conflict(f"job {job.id} has not ended: it is {job.state}. Cancel it first")
    untold = services.store.untold(job.id)
    if untold:
        raise Conflict(
            f"job {job.id} has {untold} messages that are still to be told: mend or delete their "
            "channels (see its deliveries), then forget it"
        )
    services.store.delete(job)
    try:
        services.overflow.forget(job.id)
    except TrainbellError:  # As below: the job itself is forgotten.
        log.exception("what did not fit of the forgotten job %s may still be kept", job.id)
    if job.handle is None or job.watch.is_copy or services.engine != "embedded":
        return  # No machine of ours has anything of its run.
    try:
        connection = door_of(services, job).connection
        with services.providers.lease(connection) as client:
            client.forget(job.handle)
    except Exception:  # the job is forgotten; what is left is files, or its connection is gone
        log.exception("something of the forgotten job %s may still lie on this machine", job.id)
