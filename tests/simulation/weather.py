"""What the day is like at a service or a receiver."""

from __future__ import annotations

from collections.abc import Sequence

from tests.simulation.plan import Window


def at(weather: Sequence[Window], now: float) -> Window | None:
    return next((each for each in weather if each.covers(now)), None)


def has_covered(weather: Sequence[Window], what: str, begin: float, end: float) -> bool:
    """Whether it was so from `begin` to `end`, without a pause."""
    for each in sorted((w for w in weather if w.what == what), key=lambda w: w.begin):
        if each.begin <= begin < each.end:
            begin = each.end
    return begin >= end
