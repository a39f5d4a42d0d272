"""When to look again. docs/polling.md derives the rules and shows what they cost.

All functions are pure: the random number comes in with `Pace`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from trainbell.domain.durations import DurationHistory
from trainbell.domain.job import Job
from trainbell.domain.observation import FailureKind

JITTER = 0.1
"""Waits are spread by ±10 %, so that a thousand jobs started together do not poll together."""

SECONDS_PER_POLL = 12.0
"""The exchange rate: one poll is worth this many seconds of mean delay."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What the policy knows besides the job.

    `history`: durations of earlier jobs like this one. `chance`: a fresh random number in [0, 1).
    """

    history: DurationHistory = field(default_factory=DurationHistory)
    chance: float = 0.5


def next_wait_seconds(
    job: Job, now: datetime, pace: Pace, *, retry_after_seconds: float | None = None
) -> float:
    """Seconds until the next look at a job that is at its service."""
    raise NotImplementedError


def retry_wait_seconds(
    job: Job, pace: Pace, kind: FailureKind, retry_after_seconds: float | None
) -> float:
    """Seconds until the next attempt after one that failed."""
    raise NotImplementedError
