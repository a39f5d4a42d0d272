"""When to look again. docs/polling.md derives the rules and shows what they cost.

All functions are pure: the random number comes in with `Pace`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime

from trainbell.domain.durations import DurationHistory
from trainbell.domain.failure import FailureKind
from trainbell.domain.job import Job, State
from trainbell.domain.progress import forecast_end, trail_of
from trainbell.domain.rate_budget import LONGEST_RETRY_AFTER_SECONDS

JITTER = 0.1
"""Waits are spread by ±10 %, so that a thousand jobs started together do not poll together."""

SECONDS_PER_POLL = 0.5
"""The exchange rate: one poll is worth this many seconds of mean delay.

Measured on five public traces (docs/polling.md): at this price a job of which nothing is known
takes fewer polls than at a fixed minute on each of them, and its end is seen earlier on four.
"""

QUEUE_EXIT_RATE = 0.3
"""A job queued for t seconds leaves the queue at a rate of about this / t (Acme's queue delays)."""

CANCELLING_SECONDS = 60.0
"""A job that is being cancelled may still cost money: it is looked at this often at least."""

UNTOLD_END = 0.3
"""The share of ends that no progress foretells: failures, early stops, wrong forecasts."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What the policy knows besides the job.

    `history`: durations of earlier jobs like this one. `chance`: a fresh random number in [0, 1).
    """

    history: DurationHistory = field(default_factory=DurationHistory)
    chance: float = 0.5


def longest_wait_seconds(job: Job) -> float:
    """Longer than that no rule lets it wait for its next look."""
    error = job.watch.last_error
    asked = (error.retry_after_seconds if error is not None else None) or 0.0
    return max(
        job.order.min_interval_seconds,
        job.order.max_interval_seconds,
        min(asked, LONGEST_RETRY_AFTER_SECONDS) * (1 + JITTER),
    )


def next_wait_seconds(
    job: Job, now: datetime, pace: Pace, *, retry_after_seconds: float | None = None
) -> float:
    """Seconds until the next look at a job that is at its service.

    Within the job's own bounds, jitter included. Two things break the bounds: a deadline is not
    overslept, and a Retry-After (up to an hour) is waited for, deadline or not.
    """
    if job.state is State.CANCELLING:
        wanted = _cancelling_wait(job, now)
    elif job.state is State.RUNNING:
        wanted = _running_wait(job, now, pace)
    else:
        wanted = _queue_wait(job, now)
    return _bounded(job, wanted, now, pace, retry_after_seconds)


def retry_wait_seconds(
    job: Job,
    pace: Pace,
    kind: FailureKind,
    retry_after_seconds: float | None,
    *,
    now: datetime | None = None,
) -> float:
    """Seconds until the next attempt after one that failed.

    Doubles with each failure in a row, from the job's shortest interval to its longest. A refused
    key needs a person, so it waits the longest at once. With `now`, no deadline is overslept.
    """
    if kind is FailureKind.AUTH:
        wanted = job.order.max_interval_seconds
    else:
        doublings = min(max(job.watch.failed_polls_in_a_row - 1, 0), 30)
        wanted = job.order.min_interval_seconds * 2.0**doublings
    return _bounded(job, wanted, now, pace, retry_after_seconds)


def _running_wait(job: Job, now: datetime, pace: Pace) -> float:
    """By age, from what is known of such jobs; by progress where the job tells of any."""
    age = _seconds_since(job.started_at or job.created_at, now)
    by_age = pace.history.life_table().wait_seconds(age, SECONDS_PER_POLL)
    forecast = forecast_end(trail_of(job), now)
    if forecast is None:
        return by_age
    # Before the window only the untold ends remain; their hazard is that share of the whole.
    untold = by_age / math.sqrt(1 - (1 - UNTOLD_END) * forecast.trust)
    if forecast.latest_seconds <= 0:
        overdue = forecast.width_seconds / 2 - forecast.latest_seconds
        return min(by_age, math.sqrt(2 * SECONDS_PER_POLL * overdue))
    if untold <= forecast.earliest_seconds:
        return untold
    # The rest of one look's worth is spent in the window, where an end at an even chance has the
    # hazard 1 / (seconds left): the rate √(hazard / 2·price) adds up to this closed form.
    begin = max(0.0, forecast.earliest_seconds)
    rest = 1 - begin / untold
    root = math.sqrt(forecast.latest_seconds - begin) - rest * math.sqrt(SECONDS_PER_POLL / 2)
    in_window = forecast.latest_seconds - max(root, 0.0) ** 2
    return min(untold, in_window)


def _queue_wait(job: Job, now: datetime) -> float:
    queued = _seconds_since(job.start.sent_at or job.created_at, now)
    wait = math.sqrt(2 * SECONDS_PER_POLL * (queued + 1) / QUEUE_EXIT_RATE)
    # A place far back in the line leaves later; but places are skipped, so it is not trusted far.
    return wait * min(math.sqrt(max(job.seen.queue_position or 1, 1)), 3.0)


def _cancelling_wait(job: Job, now: datetime) -> float:
    asked = _seconds_since(job.cancel.sent_at or job.cancel.requested_at or now, now)
    return min(asked / 10, CANCELLING_SECONDS)


def _bounded(
    job: Job, wanted: float, now: datetime | None, pace: Pace, retry_after_seconds: float | None
) -> float:
    low, high = (
        job.order.min_interval_seconds,
        max(job.order.min_interval_seconds, job.order.max_interval_seconds),
    )
    # Clamped so that the jitter has room within the bounds, where they leave any.
    room_low, room_high = low / (1 - JITTER), high / (1 + JITTER)
    if room_low <= room_high:
        wanted = min(max(wanted, room_low), room_high)
    jittered = wanted * (1 + JITTER * (2 * pace.chance - 1))
    wait = min(max(jittered, low), high)
    if now is not None and job.order.deadline_at is not None and job.order.deadline_at > now:
        wait = min(wait, (job.order.deadline_at - now).total_seconds())
    if retry_after_seconds is not None and retry_after_seconds > 0:
        asked = min(retry_after_seconds, LONGEST_RETRY_AFTER_SECONDS)
        wait = max(wait, asked * (1 + JITTER * pace.chance))
    return wait


def _seconds_since(moment: datetime, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds())
