"""A connection's rate budget as a queue of call times, shared fairly and never exceeded.

Each call reserves the next free place in one line per connection; places lie `spacing_seconds`
apart. So every job gets its turn in the order of asking. A place is good for `PLACE_GRACE_SECONDS`:
a late watcher asks again. Spacing is (60 + grace) / calls, therefore no 60-second window, wherever
it begins, holds more calls than the budget, even when every call uses its place as late as it may.
A window holds whole calls, so 1.5 a minute is kept as 1; less than one is spread over minutes.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from trainbell.domain.failure import Failure, FailureKind

WINDOW_SECONDS = 60.0
PLACE_GRACE_SECONDS = 5.0
LONGEST_RETRY_AFTER_SECONDS = 3600.0
"""A service may ask for silence for this long at most: nobody's typing error stops a watch."""


def spacing_seconds(calls_per_minute: float) -> float:
    """Seconds between two places in the line, in whole microseconds, which is what times hold."""
    calls = math.floor(calls_per_minute) if calls_per_minute >= 1 else calls_per_minute
    return math.ceil((WINDOW_SECONDS + PLACE_GRACE_SECONDS) / calls * 1e6) / 1e6


def next_place(last_place: datetime | None, now: datetime, spacing: float) -> datetime:
    """The place after `last_place`, or now if the line is empty."""
    if last_place is None:
        return now
    return max(now, last_place + timedelta(seconds=spacing))


def place_is_good(place: datetime | None, now: datetime) -> bool:
    """Whether a reserved place may be used at `now`."""
    return place is not None and place <= now < place + timedelta(seconds=PLACE_GRACE_SECONDS)


def longest_silence(failure: Failure) -> float | None:
    """For how many seconds the service wants to be left alone; an hour at most, None if not."""
    if failure.kind is not FailureKind.THROTTLED or not failure.retry_after_seconds:
        return None
    return min(failure.retry_after_seconds, LONGEST_RETRY_AFTER_SECONDS)
