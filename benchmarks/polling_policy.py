"""What the polling policy costs and gives, beside usual policies and the theoretical limit.

    python benchmarks/polling_policy.py [--jobs 2000] [--plot docs/images/polling.svg]

Jobs are drawn from the duration CDFs of five public GPU-cluster traces (data/job_durations.json)
and watched by the real `next_wait_seconds`, with its bounds and its jitter. The seed is fixed:
every run prints the same numbers. Delay is the time between a job's end and the poll that sees it.

No policy that knows only the distribution F with density f beats
polls x mean delay = (∫ √(f·(1 - F)) dt)² / 2; the last column compares each product with that.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from time import perf_counter

# Run as a script, only this folder is on the path.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.parts.comparison import Comparison, Outcome
from trainbell.domain.durations import PRIOR, DurationHistory, Prior, bin_of
from trainbell.domain.job import Job, State
from trainbell.domain.lifecycle import WatchRules, step
from trainbell.domain.observation import Observation
from trainbell.domain.order import Order
from trainbell.domain.polling import Pace, next_wait_seconds

DATA = Path(__file__).parent / "data" / "job_durations.json"
SEED = 20_260_302
EARLIER_JOBS = 200
SAME_OPERATOR = {"Seren": ("Seren", "Kalos"), "Kalos": ("Seren", "Kalos")}
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)

# A policy: from a job's age in seconds to its next wait.
Policy = Callable[[float], float]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2000, help="jobs drawn from each trace")
    parser.add_argument("--plot", type=Path, help="also draw the comparison into this file")
    options = parser.parse_args(arguments)
    traces = read_traces()
    comparisons = [compare(name, traces, options.jobs) for name in traces]
    for comparison in comparisons:
        print_comparison(comparison)
    print_history_value(traces, options.jobs)
    print_progress_value(traces, options.jobs // 4)
    print_speed()
    if options.plot:
        from benchmarks.parts.polling_plot import draw

        draw(comparisons, options.plot)
    return 0


def read_traces() -> dict[str, list[float]]:
    """Trace → percentage of jobs that took at most 1, 2, 4 … 2^21 s."""
    found = json.loads(DATA.read_text(encoding="utf-8"))["traces"]
    return {name: trace["cdf_percent"] for name, trace in found.items()}


def compare(name: str, traces: dict[str, list[float]], jobs: int) -> Comparison:
    """Every policy on the same jobs."""
    cdf = traces[name]
    chance = random.Random(SEED)
    durations = [quantile(cdf, (i + chance.random()) / jobs) for i in range(jobs)]
    # "No history" must not know the answer: its prior is made of other operators' traces only.
    left_out = SAME_OPERATOR.get(name, (name,))
    prior = mean_prior([traces[other] for other in traces if other not in left_out])
    earlier = [quantile(cdf, chance.random()) for _ in range(EARLIER_JOBS)]
    policies = {
        "fixed 30 s": lambda _: 30.0,
        "fixed 60 s": lambda _: 60.0,
        "10 s x 1.1, at most 600 s": back_off(10, 1.1, 600),
        "5 s x 1.5, at most 300 s": back_off(5, 1.5, 300),
        "Trainbell, no history": trainbell(DurationHistory(prior=prior)),
        f"Trainbell, {EARLIER_JOBS} earlier jobs": trainbell(history_of(earlier, prior)),
        "Trainbell, knows F": trainbell(DurationHistory(prior=Prior.from_cdf(cdf))),
    }
    outcomes = {label: watch(policy, durations) for label, policy in policies.items()}
    return Comparison(name, limit_of(cdf), outcomes)


def watch(policy: Policy, durations: Iterable[float]) -> Outcome:
    """Poll each job until its end is seen."""
    polls, delay, jobs = 0, 0.0, 0
    for duration in durations:
        age = 0.0
        while age < duration or age == 0.0:
            age += policy(age)
            polls += 1
        delay += age - duration
        jobs += 1
    return Outcome(polls / jobs, delay / jobs)


def trainbell(history: DurationHistory) -> Policy:
    """The real thing, on a job that runs since `BEGIN` and reports nothing."""
    job = a_job()
    chance = random.Random(SEED)

    def wait(age: float) -> float:
        now = BEGIN + timedelta(seconds=age)
        return next_wait_seconds(job, now, Pace(history, chance.random()))

    return wait


def back_off(first: float, ratio: float, most: float) -> Policy:
    """The k-th wait is first·ratioᵏ up to `most`; k follows from the age, a sum of such waits."""
    grows_for = math.ceil(math.log(most / first, ratio))
    grown = first * (ratio**grows_for - 1) / (ratio - 1)

    def wait(age: float) -> float:
        if age >= grown - 1e-6:
            return most
        return first * ratio ** round(math.log1p(age * (ratio - 1) / first) / math.log(ratio))

    return wait


def quantile(cdf: Sequence[float], share: float) -> float:
    """The duration below which this share of jobs lies; log-uniform between two powers of two."""
    percent = share * cdf[-1]
    if percent <= cdf[0]:
        return percent / cdf[0] if cdf[0] else 1.0
    upper = next(i for i, known in enumerate(cdf) if known >= percent)
    within = (percent - cdf[upper - 1]) / (cdf[upper] - cdf[upper - 1])
    return float(2 ** (upper - 1 + within))


def mean_prior(cdfs: Sequence[Sequence[float]]) -> Prior:
    return Prior.from_cdf([sum(column) / len(cdfs) for column in zip(*cdfs, strict=True)])


def history_of(durations: Iterable[float], prior: Prior) -> DurationHistory:
    counts: dict[int, int] = {}
    for duration in durations:
        number = bin_of(duration)
        counts[number] = counts.get(number, 0) + 1
    return DurationHistory(by_likeness=(counts,), prior=prior)


def limit_of(cdf: Sequence[float], steps: int = 400) -> float:
    """(∫ √(f·(1 - F)) dt)² / 2; F is linear in log t between powers of two, below 1 s in t."""
    total = cdf[-1]
    first = cdf[0] / total
    area = sum(math.sqrt(first * (1 - first * (i + 0.5) / steps)) for i in range(steps)) / steps
    for doubling, (low, high) in enumerate(pairwise(cdf)):
        share = (high - low) / total
        for i in range(steps):
            part = (i + 0.5) / steps
            time = 2 ** (doubling + part)
            density = share / (time * math.log(2))
            alive = 1 - low / total - share * part
            area += math.sqrt(max(density * alive, 0.0)) * time * math.log(2) / steps
    return area * area / 2


def print_comparison(comparison: Comparison) -> None:
    print(f"\n{comparison.trace}: the limit of polls x delay is {comparison.limit:,.0f} s")
    print(f"  {'policy':<28}{'polls/job':>10}{'delay s':>9}{'product':>10}{'ratio':>7}")
    for label, got in comparison.outcomes.items():
        ratio = got.product / comparison.limit
        print(f"  {label:<28}{got.polls:>10.1f}{got.delay:>9.1f}{got.product:>10,.0f}{ratio:>7.2f}")


def print_history_value(traces: dict[str, list[float]], jobs: int) -> None:
    """Trainings that resemble each other, as those of one kind on one dataset do."""
    print("\nTrainings of about 40 minutes (lognormal, sigma 0.2), by earlier jobs known:")
    print(f"  {'earlier jobs':<28}{'polls/job':>10}{'delay s':>9}{'product':>10}")
    chance = random.Random(SEED)
    prior = mean_prior(list(traces.values()))
    durations = [chance.lognormvariate(math.log(2400), 0.2) for _ in range(jobs)]
    for known in (0, 5, 20, EARLIER_JOBS):
        earlier = [chance.lognormvariate(math.log(2400), 0.2) for _ in range(known)]
        got = watch(trainbell(history_of(earlier, prior)), durations)
        print(f"  {known:<28}{got.polls:>10.1f}{got.delay:>9.1f}{got.product:>10,.0f}")


def print_progress_value(traces: dict[str, list[float]], jobs: int) -> None:
    """The same jobs through the real `step`, once silent and once reporting their progress.

    A seventh fails early. Progress is told in whole per cent and is not linear in time: a job's
    first half takes 35 % to 65 % of its duration.
    """
    print("\nJobs of at least 2 minutes, one in seven failing early, without and with progress:")
    head = f"{'silent: polls':>14}{'delay s':>9}{'progress: polls':>17}{'delay s':>9}"
    print(f"  {'trace':<10}{head}")
    for name, cdf in traces.items():
        left_out = SAME_OPERATOR.get(name, (name,))
        prior = mean_prior([traces[other] for other in traces if other not in left_out])
        silent, telling = (_watch_steps(cdf, prior, jobs, tells) for tells in (False, True))
        print(
            f"  {name:<10}{silent.polls:>14.1f}{silent.delay:>9.1f}"
            f"{telling.polls:>17.1f}{telling.delay:>9.1f}"
        )


def _watch_steps(cdf: Sequence[float], prior: Prior, jobs: int, tells: bool) -> Outcome:
    chance = random.Random(SEED)
    begin_at = next(i for i in range(1, 10**6) if quantile(cdf, i / 10**4) >= 120) / 10**4
    polls, delay = 0, 0.0
    for number in range(jobs):
        planned = quantile(cdf, begin_at + (1 - begin_at) * (number + chance.random()) / jobs)
        fails_early = chance.random() < 1 / 7
        ends = planned * chance.random() if fails_early else planned
        bend = math.log(0.5) / math.log(chance.uniform(0.35, 0.65))
        job, now = a_job(), BEGIN
        while not job.is_ended:
            wait = next_wait_seconds(job, now, Pace(DurationHistory(prior=prior)))
            now = job.watch.next_poll_at or now + timedelta(seconds=wait)
            age = (now - BEGIN).total_seconds()
            state = State.RUNNING if age < ends else State.SUCCEEDED
            progress = math.floor(min(1.0, age / planned) ** bend * 100) / 100 if tells else None
            seen = Observation(seen_at=now, vendor_status=state, state=state, progress=progress)
            pace = Pace(DurationHistory(prior=prior), chance.random())
            job = step(job, seen, now, WatchRules(), pace).job
        polls += job.watch.polls
        delay += (now - BEGIN).total_seconds() - ends
    return Outcome(polls / jobs, delay / jobs)


def print_speed(calls: int = 100_000) -> None:
    """Time of one call, with a history of many bins."""
    chance = random.Random(SEED)
    durations = [2 ** chance.uniform(4, 16) for _ in range(EARLIER_JOBS)]
    policy = trainbell(history_of(durations, PRIOR))
    begin = perf_counter()
    for number in range(calls):
        policy(float(number))
    print(f"\nnext_wait_seconds: {(perf_counter() - begin) / calls * 1e6:.1f} µs a call")


def a_job() -> Job:
    return Job(
        id="benchmark",
        order=Order(provider="any", connection="any", kind="train"),
        created_at=BEGIN,
        state=State.RUNNING,
        handle={},
        started_at=BEGIN,
    )


if __name__ == "__main__":
    sys.exit(main())
