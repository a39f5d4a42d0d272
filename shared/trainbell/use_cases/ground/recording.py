"""Stores decisions: job, events, outbox, holds and durations in one change, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict

from trainbell.domain.durations import bin_of, history_keys
from trainbell.domain.job import EndReason, Job
from trainbell.domain.outbox import unrouted
from trainbell.domain.recording import Decision
from trainbell.errors import JobConflict
from trainbell.ports import Change
from trainbell.use_cases.ground.services import Services

NAME_HOLD = "name:"
CONFLICTS_BEFORE_GIVING_UP = 20

_NEVER_RAN = frozenset({EndReason.START_REJECTED, EndReason.CANCELLED_BEFORE_START})


class Counted(TypedDict, total=False):
    """The parts of a `Change` that count a duration."""

    duration_keys: tuple[str, ...]
    duration_bin: int


def change_of(decision: Decision) -> Change:
    """What to store for a decision. An ended job gives back all holds but its name."""
    job, take = decision.job, decision.take
    outbox = tuple(
        unrouted(event, job.order.project) for event in decision.events if event.is_announced
    )
    if not decision.ended_now:
        return Change(job=job, events=decision.events, outbox=outbox, take=take)
    return Change(
        job=job,
        events=decision.events,
        outbox=outbox,
        take=take,
        release=tuple(hold for hold in job.holds if not hold.startswith(NAME_HOLD)),
        **counted(job, decision.events[-1].at),
    )


def counted(job: Job, now: datetime) -> Counted:
    """Where the duration of an ended job is counted for the history, if it ran at all."""
    if job.end_reason in _NEVER_RAN or job.handle is None:
        return {}
    seconds = job.duration(now).total_seconds()
    return {"duration_keys": history_keys(job), "duration_bin": bin_of(seconds)}


def record(services: Services, job: Job, decide: Callable[[Job], Decision]) -> tuple[Job, Decision]:
    """Decide on `job` and store it; where somebody else wrote first, read again and decide anew.

    `decide` is pure and sees every race: an end that somebody else wrote stays as it is. A job that
    has moved to another installation is left alone, whatever was under way here.

    Raises:
        NotFound: the job was deleted meanwhile.
        JobConflict: others kept writing; nothing of this decision is stored.
        HoldTaken: another job has a key that the decision takes; nothing is stored.
    """
    return _record(services, job, lambda each: Decision(each) if each.has_moved else decide(each))


def record_moved(services: Services, job: Job, decide: Callable[[Job], Decision]) -> Job:
    """As `record`, also of a job that has moved."""
    return _record(services, job, decide)[0]


def _record(
    services: Services, job: Job, decide: Callable[[Job], Decision]
) -> tuple[Job, Decision]:
    for _ in range(CONFLICTS_BEFORE_GIVING_UP):
        decision = decide(job)
        if decision.job == job:
            return job, decision
        try:
            return services.store.save(change_of(decision)), decision
        except JobConflict:
            job = services.store.get(job.id)
    raise JobConflict(f"job {job.id} is written by many at once; nothing was changed")
