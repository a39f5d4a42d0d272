"""What must hold once a world has come to its end, promise by promise."""

from __future__ import annotations

from collections import Counter

from tests.simulation.people import SCHEDULE
from tests.simulation.plan import HOUR
from tests.simulation.process import Ground
from tests.simulation.product import (
    DUE_AT_TAG,
    EndReason,
    EventType,
    Job,
    Schedule,
    State,
)
from tests.simulation.service import SimulatedService

SETTLES_WHERE_DOUBLED = 900.0
LONGEST_LOOK = 1.1 * HOUR + 900.0
"""A Retry-After of an hour, with its jitter, and an interval."""

LOOKED_AT_WITHIN = 2 * LONGEST_LOOK
"""Where the wait is over, the line of a connection that asks for silence may be as long again."""

SEEN_WITHIN = LOOKED_AT_WITHIN


def judge(ground: Ground, services: dict[str, SimulatedService]) -> None:
    for service in services.values():
        _started_once(ground, service)
    for job in list(ground.ledger.jobs.values()):
        _watched_to_its_end(ground, job)
        _told(ground, job)
        _found_again(ground, job)
        _seen_in_time(ground, services, job)
    _one_request_one_job(ground)
    _schedule_obeys(ground)


def _started_once(ground: Ground, service: SimulatedService) -> None:
    """Never doubled where what appears late appears within the settling time."""
    plan, ledger = service.plan, ground.ledger
    settles = plan.settle_seconds or SETTLES_WHERE_DOUBLED
    for job in ground.ledger.jobs.values():
        never_ran = job.end_reason in (EndReason.START_REJECTED, EndReason.CANCELLED_BEFORE_START)
        runs = never_ran and bool(service.marked(job.id)) and plan.commits_within <= settles
        if runs and not ledger.has(job.id, EventType.ORPHAN_FOUND):
            ledger.violation("started once", f"{job.id} is {job.end_reason}, and has a training")
    for mark, count in Counter(each.mark for each in service.trainings).items():
        if count < 2:
            continue
        alarmed = ledger.has(mark, EventType.DOUBLED_TRAINING, EventType.ORPHAN_FOUND)
        if plan.has_token or plan.commits_within <= settles:
            ledger.violation("started once", f"{mark} has {count} trainings at {plan.name}")
        elif not alarmed and mark in service.shown_doubled:
            ledger.violation("started once", f"{mark} was seen doubled, without an alarm")


def _watched_to_its_end(ground: Ground, job: Job) -> None:
    if not job.is_ended and job.id not in ground.ledger.forgotten:
        looked = job.watch.last_polled_at
        text = f"{job.id} is still {job.state}, last looked at {looked}, due {job.due_at}"
        ground.ledger.violation("watched to its end", text)
    for gap, at in ground.ledger.silences[job.id]:
        if gap > LOOKED_AT_WITHIN:
            text = f"nobody looked at {job.id} for {gap:.0f} s, until {at:.0f} s"
            ground.ledger.violation("watched to its end", text)
    for key in job.holds:
        if job.is_ended and ground.store.find_by_hold(key) == job.id:
            ground.ledger.violation("holds", f"{job.id} has ended and holds {key}")


def _seen_in_time(ground: Ground, services: dict[str, SimulatedService], job: Job) -> None:
    """Once nothing is in the way any more, an end (a confirmed cancel, too) is seen soon."""
    if job.handle is None or not ground.ledger.ends[job.id] or job.state is State.LOST:
        return
    training = services[job.order.provider].training(job.handle["id"])
    at, _ = ground.ledger.ends[job.id][0]
    if training is not None:
        late = at - max(training.ends_at, ground.plan.chaos_for)
        if late > SEEN_WITHIN:
            text = f"the end of {job.id} was seen {late:.0f} s late"
            ground.ledger.violation("watched to its end", text)


def _told(ground: Ground, job: Job) -> None:
    """Each end is told to each channel that stood by then."""
    for at, event in ground.ledger.ends[job.id]:
        for channel, since in ground.ledger.standing_since.items():
            if since <= at and not ground.ledger.told[(channel, event.id)]:
                text = f"the end of {job.id} was not told to {channel}"
                ground.ledger.violation("told", text)


def _found_again(ground: Ground, job: Job) -> None:
    """Found again, since the service has it after all."""
    if job.state is State.LOST and not ground.ledger.has(job.id, EventType.JOB_FOUND_AGAIN):
        text = f"{job.id} was taken for lost and never found again"
        ground.ledger.violation("never lost while it runs", text)


def _one_request_one_job(ground: Ground) -> None:
    by_plan = Counter(
        job.order.parameters.get("plan")
        for job in ground.ledger.jobs.values()
        if job.origin.found_again_of is None and job.origin.schedule is None
    )
    for plan, count in by_plan.items():
        if count > 1:
            ground.ledger.violation("one request, one job", f"request {plan} made {count} jobs")


def _schedule_obeys(ground: Ground) -> None:
    due = Counter(
        job.order.tags[DUE_AT_TAG]
        for job in ground.ledger.jobs.values()
        if job.origin.schedule is not None and job.origin.found_again_of is None
    )
    for at, count in due.items():
        if count > 1:
            ground.ledger.violation("one job for each due time", f"{at} made {count} jobs")
    wish, stored = ground.ledger.schedule_wish, ground.store.get_config(Schedule, SCHEDULE)
    if wish == "disable" and (stored is None or stored.enabled):
        ground.ledger.violation("what is disabled stays so", f"it is {stored}")
    if wish == "delete" and stored is not None:
        ground.ledger.violation("what is deleted stays so", f"it is {stored}")
