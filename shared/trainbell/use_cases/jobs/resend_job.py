"""A person answers what nobody else can: nothing of this job is at its service; send it again."""

from __future__ import annotations

from trainbell.domain.access import Caller
from trainbell.domain.job import Job
from trainbell.domain.starting import resend
from trainbell.errors import Conflict
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services


def resend_job(services: Services, job_id: str, *, by: Caller) -> Job:
    """Let a job be sent again whose start is unclear and was to be asked about.

    Raises:
        NotFound: no such job.
        Conflict: it waits for no answer; e.g. it was found meanwhile.
    """
    job = services.store.get(job_id)
    now = services.clock.now()
    saved, decision = record(services, job, lambda current: resend(current, by.id, now))
    if not decision.events:
        raise Conflict(f"job {job.id} waits for no answer: it is {saved.state}")
    services.watchers.watch(saved)
    return saved
