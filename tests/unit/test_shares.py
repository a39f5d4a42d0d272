"""Who may look: all that is free for those that answer, a share for those that hang."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainbell.embedded.shares import (
    ANSWERS_COUNT_SECONDS,
    AT_MOST,
    HANGS_AFTER_SECONDS,
    RESERVED,
    SHARE,
    SMALL_SHARE,
    Shares,
)


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def shares(time: Time) -> Shares:
    return Shares(monotonic=time)


def take_all(shares: Shares, name: str, wanted: int = 10_000) -> int:
    return next((n for n in range(wanted) if not shares.take(name)), wanted)


def steadily(shares: Shares, time: Time, name: str, latency: float, rate: int) -> int:
    """Look at so many a second for twenty seconds. The most that were under way at once."""
    most = busy = 0
    ends: list[float] = []
    for step in range(20 * rate):
        time.now = step / rate
        while ends and ends[0] <= time.now:
            ends.pop(0)
            shares.give_back(name, latency)
            busy -= 1
        if shares.take(name):
            ends.append(time.now + latency)
            busy += 1
        most = max(most, busy)
    return most


def test_looks_that_end_by_a_deadline_earn_no_more_room(shares: Shares, time: Time) -> None:
    """Counted as answers, they let one hanging service grow from 64 to 512 in 140 seconds."""
    hanging = ["a", "b", "c"]
    for begun_at in range(0, 300, 20):
        time.now = float(begun_at)
        taken = [take_all(shares, name) for name in hanging]
        assert taken == [SHARE if begun_at == 0 else SMALL_SHARE] * 3
        time.now += 20
        for name, count in zip(hanging, taken, strict=True):
            for _ in range(count):
                shares.give_back(name, took=20.0)
    assert take_all(shares, "well") == SHARE


def test_one_answer_is_enough_to_be_believed_again(shares: Shares, time: Time) -> None:
    assert take_all(shares, "hangs") == SHARE
    time.now = HANGS_AFTER_SECONDS + 1
    for _ in range(SHARE):
        shares.give_back("hangs", took=time.now)
    assert shares.most("hangs") == SMALL_SHARE
    assert shares.take("hangs")
    shares.give_back("hangs", took=0.3)
    assert shares.most("hangs") >= SHARE


@pytest.mark.parametrize(("latency", "rate"), [(0.3, 333), (1.0, 333), (0.3, 1500)])
def test_one_that_answers_uses_what_nobody_else_wants(
    shares: Shares, time: Time, latency: float, rate: int
) -> None:
    most = steadily(shares, time, "answers", latency, rate)
    assert most >= min(latency * rate, AT_MOST - RESERVED) * 0.95


def test_however_many_hang_another_still_gets_a_look(shares: Shares) -> None:
    for number in range(40):
        take_all(shares, f"hangs-{number}")
    assert take_all(shares, "well") >= 1


def test_a_service_that_stops_answering_gets_no_more(shares: Shares, time: Time) -> None:
    steadily(shares, time, "was fast", 0.3, 333)
    before = shares.busy
    time.now += ANSWERS_COUNT_SECONDS + 1
    assert before >= SHARE
    assert take_all(shares, "was fast") == 0


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.booleans(), st.floats(0, 5)), max_size=400)
)
def test_nothing_is_counted_wrongly(steps: list[tuple[str, bool, float]]) -> None:
    time = Time()
    shares = Shares(40, monotonic=time)
    under_way: dict[str, int] = {}
    for name, begins, later in steps:
        time.now += later
        if begins and shares.take(name):
            under_way[name] = under_way.get(name, 0) + 1
        elif not begins and under_way.get(name):
            under_way[name] -= 1
            shares.give_back(name, later)
        assert shares.busy == sum(under_way.values()) <= 40
