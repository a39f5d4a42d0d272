"""When a job that tells of its progress is likely to end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from trainbell.domain.job import Job

SURELY_UNSURE = 0.05
"""No forecast is better than ±5 %."""

SHORTEST_WINDOW_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """The window, in seconds from now, in which the end is expected. It may lie in the past.

    `trust`: from 1 down to 0 as the progress stands still longer than it used to.
    """

    earliest_seconds: float
    latest_seconds: float
    trust: float

    @property
    def width_seconds(self) -> float:
        return self.latest_seconds - self.earliest_seconds


def trail_of(job: Job) -> Sequence[tuple[datetime, float]]:
    """The points of a job's progress; a job that runs since a known time began there with 0."""
    trail = job.seen.progress_trail
    if trail and job.started_at is not None and job.started_at < trail[0][0] and trail[0][1] > 0:
        return ((job.started_at, 0.0), *trail)
    return trail


def forecast_end(trail: Sequence[tuple[datetime, float]], now: datetime) -> Forecast | None:
    """A forecast from the recent pace; None where fewer than two points tell of it.

    `trail`: (time, progress from 0 to 1), both increasing. The pace is the median of the paces
    from each earlier point to the last, which one odd point does not move far; how far they lie
    apart, and how few they are, widens the window.
    """
    if not trail:
        return None
    last_at, last = trail[-1]
    paces = sorted(
        (last - progress) / (last_at - at).total_seconds()
        for at, progress in trail[:-1]
        if progress < last and at < last_at
    )
    if not paces:
        return None
    pace = median(paces)
    unsure = SURELY_UNSURE + (paces[-1] - paces[0]) / pace / 2 + 0.25 / len(paces)
    silent = max(0.0, (now - last_at).total_seconds())
    usual_gap = (last_at - trail[0][0]).total_seconds() / (len(trail) - 1)
    left = (1.0 - last) / pace
    spread = max(left * min(unsure, 1.0), SHORTEST_WINDOW_SECONDS)
    return Forecast(
        earliest_seconds=left - spread - silent,
        latest_seconds=left + spread - silent,
        trust=min(1.0, usual_gap / silent) if silent > usual_gap else 1.0,
    )
