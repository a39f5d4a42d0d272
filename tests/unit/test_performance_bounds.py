"""What a service says of a training is kept, as far as it is sane."""

from __future__ import annotations

import itertools
import math

from tests.builders import NOON, a_running_job, seen
from trainbell.domain.job import Performance
from trainbell.domain.lifecycle import WatchRules, step
from trainbell.domain.performance_bounds import (
    BYTES_AT_MOST,
    CURVE_POINTS_AT_MOST,
    bounded,
)
from trainbell.domain.polling import Pace
from trainbell.stores.codec import dump_job, load_job


def test_what_is_sane_stays_as_it_is() -> None:
    sane = Performance(
        metrics={"accuracy": 0.9},
        per_tag={"cat": {"ap": 0.8}},
        curve=({"epoch": 1.0, "loss": 0.5},),
        cost={"minutes": 4},
        artifacts={"model": "s3://bucket/model"},
    )
    assert bounded(sane) == (sane, frozenset())


def test_what_is_no_number_is_left_out_and_the_job_can_be_stored() -> None:
    odd = Performance(metrics={"loss": math.nan, "f1": math.inf, "accuracy": 0.9})
    saw = seen(at=NOON.replace(hour=13), performance=odd, progress=math.nan)
    job = step(a_running_job(), saw, NOON.replace(hour=13), WatchRules(), Pace()).job
    assert job.seen.performance.metrics == {"accuracy": 0.9}
    assert job.seen.progress is None
    assert load_job(dump_job(job), job.id) == job


def test_a_long_curve_is_thinned_evenly_and_keeps_its_last_point() -> None:
    curve = tuple({"epoch": float(n)} for n in range(10_001))
    performance, cut = bounded(Performance(curve=curve))
    kept = performance.curve
    assert cut == {"performance.curve"}
    assert len(kept) <= CURVE_POINTS_AT_MOST
    assert kept[-1] == {"epoch": 10_000.0}
    steps = {b["epoch"] - a["epoch"] for a, b in itertools.pairwise(kept)}
    assert len(steps) == 1


def test_ten_thousand_tags_with_long_names_fit_a_stored_job() -> None:
    tags = {f"{n:05d}-" + "x" * 500: {f"m{m}" * 60: 0.5 for m in range(50)} for n in range(10_000)}
    saw = seen(at=NOON.replace(hour=13), performance=Performance(per_tag=tags), message="m" * 9999)
    job = step(a_running_job(), saw, NOON.replace(hour=13), WatchRules(), Pace()).job
    assert job.seen.performance.per_tag
    assert len((job.seen.message or "").encode()) == 4096
    assert job.seen.cut == ("message", "performance.per_tag")
    assert len(dump_job(job)) < BYTES_AT_MOST + 8 * 1024
