"""Keeps what a service says of a training's worth within bounds, so that no answer breaks a job.

JSON has no NaN: what is not a finite number is left out. What is too much is cut: tags and curve
first, the curve evenly, until all of it has at most `BYTES_AT_MOST` (`size_bounds` says why).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from itertools import islice

from trainbell.domain.job import Performance
from trainbell.domain.size_bounds import bounded_text, json_bytes

BYTES_AT_MOST = 64 * 1024
METRICS_AT_MOST = 100
TAGS_AT_MOST = 1000
METRICS_PER_TAG_AT_MOST = 10
CURVE_POINTS_AT_MOST = 500
ARTIFACTS_AT_MOST = 50
NAME_BYTES_AT_MOST = 256
URI_BYTES_AT_MOST = 1024

_TAGS_AND_CURVE_GONE = 9
"""After so many halvings one tag and one point are left; only then is the rest halved, too."""


def bounded(performance: Performance) -> tuple[Performance, frozenset[str]]:
    """The same where nothing is odd, otherwise the good part of it; and the names of the parts
    (`performance.curve`, …) of which something is missing."""
    if not performance:
        return performance, frozenset()
    halvings = 0
    kept = _cut(performance, halvings)
    while _bytes(kept) > BYTES_AT_MOST:
        halvings += 1
        kept = _cut(performance, halvings)
    names = (each.name for each in fields(Performance))
    cut = {name for name in names if getattr(kept, name) != getattr(performance, name)}
    return kept, frozenset(f"performance.{name}" for name in cut)


def _cut(performance: Performance, halvings: int) -> Performance:
    later = max(0, halvings - _TAGS_AND_CURVE_GONE)
    return Performance(
        metrics=_numbers(performance.metrics, METRICS_AT_MOST >> later),
        per_tag={
            _name(tag): _numbers(metrics, METRICS_PER_TAG_AT_MOST)
            for tag, metrics in islice(performance.per_tag.items(), TAGS_AT_MOST >> halvings)
        },
        curve=_thinned(performance.curve, max(1, CURVE_POINTS_AT_MOST >> halvings)),
        cost=_numbers(performance.cost, METRICS_AT_MOST >> later),
        artifacts={
            _name(name): bounded_text(uri, URI_BYTES_AT_MOST)
            for name, uri in islice(performance.artifacts.items(), ARTIFACTS_AT_MOST >> later)
        },
    )


def _numbers(given: Mapping[str, float], at_most: int) -> Mapping[str, float]:
    good = ((name, value) for name, value in given.items() if _is_finite(value))
    return {_name(name): value for name, value in islice(good, at_most)}


def _name(name: str) -> str:
    return bounded_text(name, NAME_BYTES_AT_MOST)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # A whole number of more digits than any store keeps.
        return False


def _bytes(kept: Performance) -> int:
    return json_bytes([kept.metrics, kept.per_tag, kept.curve, kept.cost, kept.artifacts])


def _thinned(
    curve: tuple[Mapping[str, float], ...], points: int
) -> tuple[Mapping[str, float], ...]:
    """Every n-th point, and always the last."""
    every = math.ceil(len(curve) / points) or 1
    kept = curve[::-1][::every][::-1]
    return tuple(_numbers(point, METRICS_PER_TAG_AT_MOST) for point in kept)
