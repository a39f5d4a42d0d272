"""A rate budget is never exceeded, and everybody gets a turn."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOON
from trainbell.domain.rate_budget import (
    PLACE_GRACE_SECONDS,
    next_place,
    place_is_good,
    spacing_seconds,
)

GRACE = timedelta(seconds=PLACE_GRACE_SECONDS)
MINUTE = timedelta(minutes=1)
QUICK = settings(max_examples=150, deadline=None, derandomize=True)

askings = st.lists(st.floats(0, 30), min_size=2, max_size=120)
lateness = st.one_of(st.just(PLACE_GRACE_SECONDS - 1e-6), st.floats(0, 2 * PLACE_GRACE_SECONDS))


def calls_of(budget: float, gaps: list[float], late: list[float]) -> list[datetime]:
    """When each caller calls: it asks, waits for its place, is late, and asks again if too late."""
    spacing, last, now, calls = spacing_seconds(budget), None, NOON, []
    for gap, delay in zip(gaps, late, strict=False):
        now += timedelta(seconds=gap)
        last = next_place(last, now, spacing)
        acts_at = last + timedelta(seconds=delay)
        if not place_is_good(last, acts_at):
            last = next_place(last, acts_at, spacing)
            acts_at = last
            now = max(now, acts_at - GRACE)
        calls.append(acts_at)
    return sorted(calls)


@QUICK
@given(st.one_of(st.integers(1, 600), st.floats(1, 600)), askings, st.data())
def test_no_minute_holds_more_calls_than_the_budget(
    budget: float, gaps: list[float], data: st.DataObject
) -> None:
    late = data.draw(st.lists(lateness, min_size=len(gaps), max_size=len(gaps)))
    calls = calls_of(budget, gaps, late)
    for first, begin in enumerate(calls):
        in_window = sum(call < begin + MINUTE for call in calls[first:])
        assert in_window <= budget


@pytest.mark.parametrize("budget", [1, 7, 11, 60, 599])
def test_the_worst_case_of_one_late_call_and_prompt_ones_after_it(budget: int) -> None:
    spacing, places = spacing_seconds(budget), [NOON]
    for _ in range(2 * budget):
        places.append(next_place(places[-1], NOON, spacing))
    late = places[0] + GRACE - timedelta(microseconds=1)
    calls = [late, *places[1:]]
    assert sum(late <= call < late + MINUTE for call in calls) <= budget


def test_less_than_one_call_a_minute_is_spread_over_minutes() -> None:
    assert spacing_seconds(0.5) >= 120


def test_turns_come_in_the_order_of_asking() -> None:
    last, places = None, []
    for _ in range(50):
        last = next_place(last, NOON, spacing_seconds(10))
        places.append(last)
    assert places == sorted(places)
    assert len(set(places)) == 50


def test_an_idle_line_gives_its_next_place_at_once_and_saves_up_none() -> None:
    spacing = spacing_seconds(10)
    later = NOON + timedelta(hours=1)
    first = next_place(NOON, later, spacing)
    assert first == later
    assert next_place(first, later, spacing) == later + timedelta(seconds=spacing)


@pytest.mark.parametrize(
    ("late", "good"), [(-1e-6, False), (0, True), (4.999, True), (5, False), (60, False)]
)
def test_a_place_is_good_for_its_grace(late: float, good: bool) -> None:
    assert place_is_good(NOON, NOON + timedelta(seconds=late)) is good
    assert not place_is_good(None, NOON)
