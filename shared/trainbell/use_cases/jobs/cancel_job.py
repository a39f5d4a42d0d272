"""Cancelled for real: the wish is stored first, then the service is told, then it confirms."""

from __future__ import annotations

from trainbell.domain.job import Job, State
from trainbell.domain.lifecycle import cancel_sent, request_cancel
from trainbell.errors import JobEnded, NotSupported, ProviderJobMissing, StoreError
from trainbell.use_cases.ground.reaching_services import Route, failure_of, handle_of, route_of
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services, log

_UNSENT = (State.REQUESTED, State.WAITING)


def cancel_job(services: Services, job_id: str, *, by: str) -> Job:
    """Ask for a cancel. Asking again does no harm; the end comes when the service confirms it.

    A service that cannot be reached now is told later: the watcher repeats it until it is taken.

    Raises:
        NotFound: no such job.
        JobEnded: it has ended already.
        NotSupported: its service has no cancel call, and it is already there.
    """
    job = services.store.get(job_id)
    if job.is_ended:
        raise JobEnded(f"job {job.id} has ended: {job.state}")
    spec = services.providers.spec(job.order.provider)
    if job.state not in _UNSENT and not spec.cancels(job.order.kind):
        raise NotSupported(
            f"{spec.title} has no call to cancel a job of kind {job.order.kind}; "
            "it runs, and may cost, to its end"
        )
    now = services.clock.now()
    saved, decision = record(services, job, lambda current: request_cancel(current, by, now))
    if decision.send_cancel:
        try:
            saved = send_cancel(services, saved, route_of(services, saved))
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - the wish is stored; the watcher repeats it
            log.warning("cancel not sent yet: %s", failure_of(error, now).message)
    if not saved.is_ended:
        services.watchers.watch(saved)
    return saved


def send_cancel(services: Services, job: Job, route: Route) -> Job:
    """Tell the service. What goes wrong is logged, and tried again at the next poll."""
    try:
        route.client.cancel(handle_of(job))
    except ProviderJobMissing:
        return job  # The next poll sees that it is gone, and says so.
    except Exception as error:  # noqa: BLE001 - a cancel that fails must not end the watching
        failure = failure_of(error, services.clock.now())
        log.warning("cancel of job %s not taken yet: %s", job.id, failure.message)
        return job
    now = services.clock.now()
    return record(services, job, lambda current: cancel_sent(current, now))[0]
