"""Stores decisions: job, events, outbox, holds and durations in one change, or nothing."""

from __future__ import annotations

from collections.abc import Callable

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


def change_of(decision: Decision) -> Change:
    """What to store for a decision. An ended job gives back all holds but its name."""
    job, take = decision.job, decision.take
    outbox = tuple(
        unrouted(event, job.order.project) for event in decision.events if event.is_announced
    )
    if not decision.ended_now:
        return Change(job=job, events=decision.events, outbox=outbox, take=take)
    counts = job.end_reason not in _NEVER_RAN and job.handle is not None
    return Change(
        job=job,
        events=decision.events,
        outbox=outbox,
        take=take,
        release=tuple(hold for hold in job.holds if not hold.startswith(NAME_HOLD)),
        duration_keys=history_keys(job) if counts else (),
        duration_bin=bin_of(job.duration(decision.events[-1].at).total_seconds())
        if counts
        else None,
    )


def record(services: Services, job: Job, decide: Callable[[Job], Decision]) -> tuple[Job, Decision]:
    """Decide on `job` and store it; where somebody else wrote first, read again and decide anew.

    `decide` is pure and sees every race: an end that somebody else wrote stays as it is.

    Raises:
        NotFound: the job was deleted meanwhile.
        JobConflict: others kept writing; nothing of this decision is stored.
        HoldTaken: another job has a key that the decision takes; nothing is stored.
    """
    for _ in range(CONFLICTS_BEFORE_GIVING_UP):
        decision = decide(job)
        if decision.job == job:
            return job, decision
        try:
            return services.store.save(change_of(decision)), decision
        except JobConflict:
            job = services.store.get(job.id)
    raise JobConflict(f"job {job.id} is written by many at once; nothing was changed")
