"""10,000 running jobs, each looked at every 30 seconds by one process: what that takes.

    python benchmarks/watch_10k.py [--seconds 30] [--only bare,trainbell,dbos]
                                   [--jobs 10000] [--latency-ms 300] [--connections 1] [--hung 0]

Every contestant watches the same jobs over real HTTP at a fake DeepVA on this machine, one after
another, each in a process of its own:

bare       one asyncio loop with aiohttp and a heap, no limit; not durable, so it is the floor
trainbell  `trainbell up`: API, loop and SQLite; every poll is parsed, decided on and stored
dbos       DBOS workflows on SQLite: a durable sleep and a recorded step per poll

With any of the options of the second line it is that one scenario; without, all of `SCENARIOS`:
services that answer in 300 ms, in a second and at once, on one connection and on a hundred, with
and without connections that hang, and more jobs than one process can look at in time.

Memory and CPU are read from outside. Lag is measured at the service: the time between two polls of
a job, less the interval, and so with the time of an answer. It is counted over the window, once
every job has been polled.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

# Run as a script, only this folder is on the path.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.parts.processes import Footprint, Sampler, run, running, wait_until
from benchmarks.parts.watched_jobs import Task

INTERVAL_SECONDS = 30.0
DBOS_JOBS = 1000
"""One process of it polls about 170 times a second here: 10,000 jobs would need 333."""
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Contestant:
    """`prepare`: a module that runs before, without being measured. `jobs`: its own scale."""

    module: str
    prepare: str | None = None
    jobs: int | None = None


CONTESTANTS = {
    "bare": Contestant("watch_bare"),
    "trainbell": Contestant("watch_trainbell", prepare="prepare_trainbell"),
    "dbos": Contestant("watch_dbos", jobs=DBOS_JOBS),
}


@dataclass(frozen=True)
class Scenario:
    """`latency_ms`: how long the service takes to answer. `hung`: connections beside the
    `connections`, at which no call is ever answered."""

    jobs: int = 10_000
    latency_ms: float = 0.0
    connections: int = 1
    hung: int = 0
    contestants: tuple[str, ...] = ("bare", "trainbell")

    def __str__(self) -> str:
        answers = f"answers after {self.latency_ms:g} ms" if self.latency_ms else "answers at once"
        connections = f"{self.connections} connection" + "s" * (self.connections > 1)
        hung = f" and {self.hung} that hang" if self.hung else ""
        return f"{self.jobs:,} jobs, {answers}, {connections}{hung}:"


SCENARIOS = (
    Scenario(latency_ms=300),
    Scenario(latency_ms=300, connections=100, hung=3, contestants=("trainbell",)),
    Scenario(latency_ms=1000),
    Scenario(latency_ms=1000, connections=100, hung=3, contestants=("trainbell",)),
    Scenario(contestants=("bare", "trainbell", "dbos")),
    Scenario(connections=100, hung=3, contestants=("trainbell",)),
    Scenario(jobs=45_000),
)


@dataclass(frozen=True)
class Result:
    """Times in seconds, memory in bytes; `cpu` is of the window only."""

    name: str
    jobs: int
    footprint: Footprint
    cpu: float
    seconds: float
    polls: int
    lag_p50: float
    lag_p99: float
    lag_max: float

    @property
    def cpu_per_poll(self) -> float:
        return self.cpu / max(1, self.polls)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    given = {
        name: value
        for name in ("jobs", "latency_ms", "connections", "hung")
        if (value := getattr(options, name)) is not None
    }
    scenarios = (Scenario(**given, contestants=tuple(CONTESTANTS)),) if given else SCENARIOS
    print(
        f"One poll per {INTERVAL_SECONDS:g} s of each job, {options.seconds:g} s measured.\n"
        f"  {'':<10}{'jobs':>7}{'peak MB':>9}{'MB now':>8}{'polls/s':>9}{'CPU s':>7}"
        f"{'µs/poll':>9}{'x bare':>8}{'lag p50':>10}{'p99':>10}{'max':>10}"
    )
    for scenario in scenarios:
        print(scenario)
        floor: Result | None = None
        for name in scenario.contestants:
            if name not in options.only:
                continue
            result = measure(name, scenario, options.seconds)
            floor = result if name == "bare" else floor
            print_result(result, floor)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the window")
    parser.add_argument(
        "--only", type=_names, default=list(CONTESTANTS), help="some of: " + ", ".join(CONTESTANTS)
    )
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--latency-ms", type=float, help="how long the service takes to answer")
    parser.add_argument("--connections", type=int, help="over how many the jobs are spread")
    parser.add_argument("--hung", type=int, help="how many more never answer")
    return parser.parse_args(arguments)


def measure(name: str, scenario: Scenario, seconds: float) -> Result:
    contestant = CONTESTANTS[name]
    jobs = min(scenario.jobs, contestant.jobs or scenario.jobs)
    latency = str(scenario.latency_ms / 1000)
    with (
        tempfile.TemporaryDirectory(prefix="trainbell-bench-") as directory,
        running("fake_deepva", [str(INTERVAL_SECONDS), latency]) as service,
    ):
        assert service.stdout is not None
        port, silent_port = map(int, service.stdout.readline().split())
        task = Task(
            port=port,
            silent_port=silent_port,
            jobs=jobs,
            interval=INTERVAL_SECONDS,
            directory=directory,
            connections=scenario.connections,
            hung=scenario.hung,
        )
        if contestant.prepare:
            run(contestant.prepare, task.as_arguments())
        with running(contestant.module, task.as_arguments()) as process:
            sampler = Sampler(process.pid)
            try:
                _wait_until_all_are_seen(task)
                return _measure_window(name, task, sampler, seconds)
            finally:
                sampler.stop()


def _wait_until_all_are_seen(task: Task) -> None:
    """And then for one interval more, so that the crowd of the beginning has spread."""
    deadline = time.monotonic() + 2 * task.interval + 30
    while _ask(task, "seen")["jobs"] < task.jobs and time.monotonic() < deadline:
        time.sleep(1.0)
    wait_until(time.monotonic() + task.interval)


def _measure_window(name: str, task: Task, sampler: Sampler, seconds: float) -> Result:
    before = sampler.read()
    _ask(task, "begin")
    wait_until(time.monotonic() + seconds)
    measured = _ask(task, "end")
    after = sampler.read()
    return Result(name, task.jobs, after, after.cpu - before.cpu, **measured)


def _ask(task: Task, action: str) -> dict[str, Any]:
    with urlopen(f"http://127.0.0.1:{task.port}/{action}", timeout=10) as answer:
        document: dict[str, Any] = json.load(answer)
    return document


def print_result(result: Result, floor: Result | None) -> None:
    """Beside the floor by CPU per poll, so that a smaller scale compares as well."""
    ratio = f"{result.cpu_per_poll / floor.cpu_per_poll:.1f}" if floor else "-"
    lags = "".join(f"{1000 * lag:>7,.0f} ms" for lag in _lags(result))
    print(
        f"  {result.name:<10}{result.jobs:>7,}{result.footprint.peak / MEGABYTE:>9.0f}"
        f"{result.footprint.current / MEGABYTE:>8.0f}{result.polls / result.seconds:>9.0f}"
        f"{result.cpu:>7.1f}{1e6 * result.cpu_per_poll:>9.0f}{ratio:>8}{lags}",
        flush=True,
    )


def _lags(result: Result) -> tuple[float, float, float]:
    return result.lag_p50, result.lag_p99, result.lag_max


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in CONTESTANTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such contestant: {', '.join(unknown)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
