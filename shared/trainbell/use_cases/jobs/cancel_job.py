"""Cancelled for real: the wish is stored first, then the service is told, then it confirms."""

from __future__ import annotations

from trainbell.domain.access import Caller
from trainbell.domain.cancelling import cancel_failed, cancel_sent, request_cancel
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import Job, State
from trainbell.errors import Conflict, JobEnded, NotSupported
from trainbell.ports import Handle
from trainbell.use_cases.ground.door import Door, Later, try_door
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services, log
from trainbell.use_cases.jobs.places import come_back

_UNSENT = (State.REQUESTED, State.WAITING)


def cancel_job(services: Services, job_id: str, *, by: Caller) -> Job:
    """Ask for a cancel. Asking again does no harm; the end comes when the service confirms it.

    A service that cannot be reached now is told later: the watcher repeats it until it is taken.

    Raises:
        NotFound: no such job.
        JobEnded: it has ended already.
        Conflict: another installation watches it by now.
        NotSupported: its service has no cancel call, and it is already there.
    """
    job = services.store.get(job_id)
    if job.is_ended:
        raise JobEnded(f"job {job.id} has ended: {job.state}")
    if job.has_moved:
        raise Conflict(f"job {job.id} has moved to another Trainbell: cancel it there")
    spec = services.providers.spec(job.order.provider)
    if job.state not in _UNSENT and not spec.cancels(job.order.kind):
        raise NotSupported(
            f"{spec.title} has no call to cancel a job of kind {job.order.kind}; "
            "it runs, and may cost, to its end"
        )
    now = services.clock.now()
    saved, decision = record(services, job, lambda current: request_cancel(current, by.id, now))
    if decision.send_cancel and saved.handle is not None:
        door = try_door(services, saved)
        if isinstance(door, Failure):
            log.warning("cancel of job %s not sent yet: %s", saved.id, door.message)
        else:
            saved = send_cancel(services, saved, saved.handle, door)
    if not saved.is_ended:
        services.watchers.watch(saved)
    return saved


def send_cancel(services: Services, job: Job, handle: Handle, door: Door) -> Job:
    """Tell the service. What goes wrong is kept with the job, and tried again after a poll."""
    answer = door.ask(lambda service: service.cancel(handle), place=job.watch.reserved_call_at)
    if isinstance(answer, Later):
        return come_back(services, job, answer)
    now = services.clock.now()
    if isinstance(answer, Failure):
        failure = answer
        # Gone: the next poll sees it, and says what that means.
        if failure.kind is not FailureKind.MISSING:
            log.warning("cancel of job %s not taken yet: %s", job.id, failure.message)
        return record(services, job, lambda current: cancel_failed(current, failure, now))[0]
    return record(services, job, lambda current: cancel_sent(current, now))[0]
