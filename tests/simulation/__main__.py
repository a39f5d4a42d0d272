"""`make simulate`: many seeds in two processes, or one with its whole trace."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice

from tests.simulation.faults import FAULTS, planted
from tests.simulation.stores import STORES
from tests.simulation.world import Outcome, simulate

PROCESSES = 2
AT_ONCE = 20
SHOWN = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 where every promise held; with a fault, where one was broken."""
    asked = _parsed(arguments)
    if asked.seed is not None:
        return _replay(asked.seed, asked.fault, asked.store)
    return _many(range(asked.first, asked.first + asked.seeds), asked.fault, asked.store)


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="so many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="this one only, with a trace of every event")
    parser.add_argument("--fault", choices=sorted(FAULTS), help="a rule of the first version")
    parser.add_argument("--store", choices=sorted(STORES), default="sqlite")
    return parser.parse_args(arguments)


def _replay(seed: int, fault: str | None, store: str) -> int:
    with planted(fault):
        outcome = simulate(seed, store=store, traced=True)
    for line in outcome.trace:
        _print(line)
    return _verdict([outcome], fault)


def _many(seeds: range, fault: str | None, store: str) -> int:
    begun, broken = time.monotonic(), list[Outcome]()
    batches = [seeds[at : at + AT_ONCE] for at in range(0, len(seeds), AT_ONCE)]
    with ProcessPoolExecutor(PROCESSES) as pool:
        done = 0
        for batch, outcomes in zip(
            batches, pool.map(partial(_batch, fault=fault, store=store), batches), strict=True
        ):
            done += len(batch)
            for outcome in islice(outcomes, SHOWN):
                _print(f"seed {outcome.seed}: {outcome.violations[0]}")
            broken += outcomes
            _print(f"{done} of {len(seeds)} seeds, {time.monotonic() - begun:.0f} s", end="\r")
    _print(f"{len(seeds)} seeds in {time.monotonic() - begun:.0f} s, {len(broken)} broke a promise")
    return _verdict(broken, fault)


def _batch(seeds: Sequence[int], *, fault: str | None, store: str) -> list[Outcome]:
    """Those in which a promise was broken."""
    with planted(fault):
        return [each for each in _outcomes(seeds, store) if each.violations]


def _outcomes(seeds: Sequence[int], store: str) -> Iterator[Outcome]:
    for seed in seeds:
        yield simulate(seed, store=store)


def _verdict(outcomes: Sequence[Outcome], fault: str | None) -> int:
    broken = [each.seed for each in outcomes if each.violations]
    for seed in broken[:SHOWN]:
        with_fault = f" FAULT={fault}" if fault else ""
        _print(f"replay: make simulate SEED={seed}{with_fault}")
    return int(bool(broken) is (fault is None))


def _print(line: str, end: str = "\n") -> None:
    sys.stdout.write(line + end)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
