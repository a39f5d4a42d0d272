"""What is learnt from the durations of earlier jobs."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import a_job
from trainbell.domain.durations import (
    BINS,
    PRIOR,
    PRIOR_WEIGHT,
    DurationHistory,
    Prior,
    bin_of,
    history_keys,
)

TRACES = Path(__file__).parents[2] / "benchmarks" / "data" / "job_durations.json"
QUICK = settings(max_examples=100, deadline=None, derandomize=True)

levels = st.lists(
    st.dictionaries(st.integers(0, BINS - 1), st.integers(1, 10**6), max_size=10), max_size=3
)


def test_the_prior_is_the_mean_of_the_five_public_traces() -> None:
    traces = json.loads(TRACES.read_text(encoding="utf-8"))["traces"]
    columns = zip(*(trace["cdf_percent"] for trace in traces.values()), strict=True)
    mean = Prior.from_cdf([round(sum(column) / len(traces), 2) for column in columns])
    assert mean.shares == pytest.approx(PRIOR.shares, abs=2e-4)


def test_a_prior_sums_to_one_and_holds_nothing_for_impossible() -> None:
    assert sum(PRIOR.shares) == pytest.approx(1)
    assert min(PRIOR.shares) > 0


@QUICK
@given(st.floats(-1e9, 1e12), st.floats(-1e9, 1e12))
def test_bins_are_in_order_and_in_range(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= bin_of(low) <= bin_of(high) < BINS


def test_four_bins_make_a_doubling() -> None:
    assert [bin_of(2**power) for power in (0, 1, 5, 20, 22)] == [0, 4, 20, 80, 88]
    assert all(bin_of(2 ** (b / 4)) == b for b in range(BINS))
    assert bin_of(2**30) == BINS - 1


def test_the_keys_go_from_the_most_alike_to_the_least() -> None:
    assert history_keys(a_job(dataset="cats")) == ("deepva/train/cats", "deepva/train")
    assert history_keys(a_job(dataset=None)) == ("deepva/train",)


@QUICK
@given(levels, st.floats(0, 1e9), st.floats(0.01, 100))
def test_any_history_gives_a_finite_hazard_and_a_wait_ahead(
    counts: list[dict[int, int]], age: float, price: float
) -> None:
    table = DurationHistory(tuple(counts)).life_table()
    assert 0 < table.hazard(age) < math.inf
    assert 0 < table.wait_seconds(age, price) < math.inf


@QUICK
@given(levels, st.floats(0, 1e7), st.floats(0.01, 100))
def test_a_wait_holds_one_look_worth_of_hazard(
    counts: list[dict[int, int]], age: float, price: float
) -> None:
    table = DurationHistory(tuple(counts)).life_table()
    wait = table.wait_seconds(age, price)
    parts = 4000
    looks = sum(
        math.sqrt(table.hazard(age + wait * (i + 0.5) / parts) / (2 * price)) for i in range(parts)
    )
    assert looks * wait / parts == pytest.approx(1, rel=0.05)


def test_many_jobs_outweigh_the_prior_and_few_do_not() -> None:
    middle = bin_of(3600)
    hazards = [
        DurationHistory(({middle: jobs},)).life_table().hazard(3700) for jobs in (1, 10, 1000)
    ]
    assert hazards == sorted(hazards)
    assert hazards[0] < 5 * DurationHistory().life_table().hazard(3700)
    assert hazards[2] > 10 * DurationHistory().life_table().hazard(3700)


def test_what_is_less_alike_weighs_no_more_than_a_few_jobs() -> None:
    alike, other = {bin_of(600): 100}, {bin_of(60): 1_000_000}
    with_other = DurationHistory((alike, other)).life_table()
    alone = DurationHistory((alike,)).life_table()
    share = 1 - math.exp(-with_other.hazard(61) * (2**6 - 2**5.75))
    assert share < PRIOR_WEIGHT / (100 + PRIOR_WEIGHT)
    assert with_other.hazard(620) >= alone.hazard(620)


def test_the_same_counts_are_worked_out_once() -> None:
    one, same = (DurationHistory(({5: 3},)) for _ in range(2))
    assert one.life_table() is same.life_table()


def test_bins_that_do_not_exist_are_taken_for_the_nearest() -> None:
    odd = DurationHistory(({-4: 50, 1000: 50},)).life_table()
    even = DurationHistory(({0: 50, BINS - 1: 50},)).life_table()
    assert odd.hazard(100) == even.hazard(100)
