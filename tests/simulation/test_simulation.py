"""A few bad days of the many that `make simulate` goes through, and each fault at a known one."""

from __future__ import annotations

import pytest

from tests.simulation.faults import FAULTS, planted
from tests.simulation.world import simulate

SEEDS = 60


@pytest.mark.parametrize("first", range(0, SEEDS, 20))
def test_every_promise_holds(first: int) -> None:
    outcomes = [simulate(seed) for seed in range(first, first + 20)]
    assert {each.seed: each.violations for each in outcomes if each.violations} == {}


def test_every_promise_holds_on_dynamodb() -> None:
    assert simulate(1, store="dynamodb").violations == ()


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_each_fault_is_found(name: str) -> None:
    """By the seed that is known to show it, and as the promise that it breaks."""
    seed, promise = FAULTS[name].known_seed, FAULTS[name].promise
    if seed is None:
        pytest.skip("no seed is known")
    with planted(name):
        outcome = simulate(seed)
    assert outcome.violations != ()
    broken = {each.partition(": ")[0] for each in outcome.violations}
    assert promise is None or promise in broken


def test_a_seed_is_the_same_story_each_time() -> None:
    first, second = (simulate(8, traced=True) for _ in range(2))
    assert first.trace == second.trace
    assert len(first.trace) > 50


def test_there_is_something_to_live_through() -> None:
    """Deaths, lost answers, look-ups, lost and found jobs, cancels: each happens in these seeds."""
    told = "\n".join(line for seed in range(40) for line in simulate(seed, traced=True).trace)
    for what in (
        "dies",
        "stalls",
        "the store fails",
        "StartUnclear",
        "StartNotFound",
        "CancelSent",
        "JobFoundAgain",
        "StartNeedsAnswer",
        "DeadlinePassed",
        "schedule:nightly",
        "WatcherReplaced",
    ):
        assert what in told, what
