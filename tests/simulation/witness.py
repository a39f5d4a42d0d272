"""Whether a job may be taken for lost, judged at that moment by what its service has answered."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from tests.simulation.process import Ground
from tests.simulation.product import Job
from tests.simulation.service import SimulatedService

GRACE = 300.0
RECORDED_WITHIN = 100.0
"""An answer may be so old when it is recorded: its own way, and that of a check that follows."""

POLLS = 3


def may_be_lost(ground: Ground, service: SimulatedService, job: Job) -> bool:
    """Only where the service itself has said "no such job", and nothing else, for the grace; or
    where nobody can know, after an accident or a jump of the clock."""
    since = ground.now - GRACE - RECORDED_WITHIN
    jumps = [at for window in ground.plan.clock for at in (window.begin, window.end)]
    if ground.last_accident >= since or any(since <= at <= ground.now for at in jumps):
        return True
    if job.id in ground.ledger.wishes and _was_moved(ground, service.plan.name):
        return True  # Who cancels a job at a connection that was moved is content with its end.
    row = _in_a_row(service.answers[(job.handle or {})["id"]])
    return len(row) >= POLLS and row[-1] <= ground.now - GRACE + RECORDED_WITHIN


def _in_a_row(answers: Sequence[tuple[float, bool]]) -> Sequence[float]:
    """When it said "no such job" since it last said anything else, the latest first."""
    return [at for at, _ in takewhile(lambda answer: answer[1], reversed(answers))]


def _was_moved(ground: Ground, name: str) -> bool:
    edits = ground.plan.connection_edits
    return any(each == name and when <= ground.now for when, each, _ in edits)
