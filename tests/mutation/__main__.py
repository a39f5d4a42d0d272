"""`make mutants`: plants every small fault in the providers' tables, bounds, patterns and headers,
and asks that the provider's own contract tests see each of them."""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.mutation import trial
from tests.mutation.excluded import EXCLUDED
from tests.mutation.mutant import KINDS, PROVIDERS, ROOT, Mutant, mutants_of

AT_ONCE = 2
TIMEOUT_SECONDS = 300.0
"""A mutant that makes its tests hang is killed, too."""
KILLERS_KEPT = 40
FORK = multiprocessing.get_context("fork")


@dataclass(slots=True)
class Running:
    mutant: Mutant
    process: BaseProcess
    answer: Connection
    until: float

    def verdict(self) -> str | None:
        """What killed it; None where it has survived."""
        if self.answer.poll():
            with contextlib.suppress(EOFError):
                said: str | None = self.answer.recv()
                return said
        return "its process died" if not self.process.is_alive() else "its time is up"

    def stop(self) -> None:
        """The process, and whatever its tests have started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid or 0, signal.SIGKILL)
        self.process.join()
        self.answer.close()


class Killers:
    """The tests that killed last: neighbours die by the same hand."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], list[str]] = {}

    def tests(self, mutant: Mutant) -> list[str]:
        return self._of.setdefault((mutant.provider, mutant.kind), [])

    def files(self, mutant: Mutant) -> Sequence[Path]:
        """Those of the last killers first."""
        last = [ROOT / test.partition("::")[0] for test in self.tests(mutant)]
        files = trial.files_of(mutant.provider, mutant.kind)
        return sorted(files, key=lambda path: last.index(path) if path in last else len(last))

    def note(self, mutant: Mutant, test: str) -> None:
        tests = self.tests(mutant)
        if test in tests:
            tests.remove(test)
        tests.insert(0, test)
        del tests[KILLERS_KEPT:]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 where every mutant was killed."""
    asked = _parsed(arguments)
    begun = time.monotonic()
    chosen = _chosen(asked)
    trial.import_what_is_shared()
    if not asked.unproved:
        for provider in dict.fromkeys(mutant.provider for mutant in chosen):
            if (broken := _unmutated(provider)) is not None:
                _print(f"{provider} fails without a mutant: {broken}")
                return 2
    survivors, counted = [], Counter[str]()
    for mutant, killer in _tried(chosen):
        counted[mutant.kind] += 1
        if killer is None:
            survivors.append(mutant)
            _print(f"SURVIVED {mutant.path.relative_to(ROOT)}:{mutant.line} {mutant.name}")
        elif asked.verbose:
            _print(f"{mutant.name} <- {killer}")
    killed = len(chosen) - len(survivors)
    of_each = ", ".join(f"{counted[kind]} {kind}" for kind in KINDS)
    _print(
        f"{len(chosen)} mutants ({of_each}), {killed} killed, {len(survivors)} survived, "
        f"{len(EXCLUDED)} equivalent; {time.monotonic() - begun:.0f} s"
    )
    return 1 if survivors else 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--provider", choices=PROVIDERS, action="append", help="only this one's")
    parser.add_argument("--kind", choices=sorted(KINDS), help="only such mutants")
    parser.add_argument("--match", default="", help="only those with this text in their name")
    parser.add_argument("--sample", type=int, default=0, help="so many of them, by the seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--excluded", action="store_true", help="those held to be equivalent")
    parser.add_argument(
        "--unproved", action="store_true", help="without a run of the tests as they are"
    )
    parser.add_argument("--verbose", action="store_true", help="say what killed each")
    return parser.parse_args(arguments)


def _chosen(asked: argparse.Namespace) -> list[Mutant]:
    found = [
        mutant
        for provider in asked.provider or PROVIDERS
        for mutant in mutants_of(provider)
        if asked.kind in (None, mutant.kind)
        and asked.match in mutant.name
        and (mutant.name in EXCLUDED) is asked.excluded
    ]
    if asked.sample:
        return random.Random(asked.seed).sample(found, min(asked.sample, len(found)))
    return found


def _unmutated(provider: str) -> str | None:
    mine, theirs = FORK.Pipe(duplex=False)
    process = FORK.Process(target=trial.run, args=(None, (), trial.files_of(provider), theirs))
    process.start()
    theirs.close()
    said: str | None = mine.recv()
    process.join()
    return said


def _tried(mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, str | None]]:
    killers, running = Killers(), list[Running]()
    left = list(reversed(mutants))
    try:
        while left or running:
            while left and len(running) < AT_ONCE:
                running.append(_begun(left.pop(), killers))
            wait([each.answer for each in running], timeout=1)
            for each in list(running):
                if each.answer.poll() or time.monotonic() > each.until:
                    running.remove(each)
                    killer = each.verdict()
                    each.stop()
                    if killer is not None:
                        killers.note(each.mutant, killer)
                    yield each.mutant, killer
    finally:
        for each in running:
            each.stop()


def _begun(mutant: Mutant, killers: Killers) -> Running:
    mine, theirs = FORK.Pipe(duplex=False)
    given = (mutant, tuple(killers.tests(mutant)), killers.files(mutant), theirs)
    process = FORK.Process(target=trial.run, args=given)
    process.start()
    theirs.close()
    return Running(mutant, process, mine, time.monotonic() + TIMEOUT_SECONDS)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
