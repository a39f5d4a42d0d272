"""Keeps what a service says of a training within bounds, so that no answer can break a job.

A job is one item in every store (DynamoDB: 400 KB, of which parameters may take 256), and JSON has
no NaN: what is not a finite number is left out, and what is too much is cut, the curve evenly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice

from trainbell.domain.job import Performance

METRICS_AT_MOST = 100
TAGS_AT_MOST = 1000
CHARACTERS_AT_MOST = 64 * 1024
METRICS_PER_TAG_AT_MOST = 10
CURVE_POINTS_AT_MOST = 500
ARTIFACTS_AT_MOST = 50
NAME_LENGTH_AT_MOST = 128
URI_LENGTH_AT_MOST = 512
MESSAGE_LENGTH_AT_MOST = 2000


def bounded(performance: Performance) -> Performance:
    """The same where nothing is odd, otherwise the good part of it."""
    if not performance:
        return performance
    tags, points = TAGS_AT_MOST, CURVE_POINTS_AT_MOST
    cut = _cut(performance, tags, points)
    while points > 1 and _characters(cut) > CHARACTERS_AT_MOST:
        tags, points = tags // 2, points // 2
        cut = _cut(performance, tags, points)
    return cut


def _cut(performance: Performance, tags: int, points: int) -> Performance:
    return Performance(
        metrics=_numbers(performance.metrics, METRICS_AT_MOST),
        per_tag={
            tag[:NAME_LENGTH_AT_MOST]: _numbers(metrics, METRICS_PER_TAG_AT_MOST)
            for tag, metrics in islice(performance.per_tag.items(), tags)
        },
        curve=_thinned(performance.curve, points),
        cost=_numbers(performance.cost, METRICS_AT_MOST),
        artifacts={
            name[:NAME_LENGTH_AT_MOST]: uri[:URI_LENGTH_AT_MOST]
            for name, uri in islice(performance.artifacts.items(), ARTIFACTS_AT_MOST)
        },
    )


def bounded_text(text: str | None) -> str | None:
    return text[:MESSAGE_LENGTH_AT_MOST] if text else text


def _numbers(given: Mapping[str, float], at_most: int) -> Mapping[str, float]:
    good = ((name, value) for name, value in given.items() if math.isfinite(value))
    return {name[:NAME_LENGTH_AT_MOST]: value for name, value in islice(good, at_most)}


def _characters(performance: Performance) -> int:
    """About how long it is as JSON; a number counts as 20 characters."""
    groups = (performance.metrics, performance.cost, *performance.per_tag.values())
    numbers = sum(len(name) + 24 for group in (*groups, *performance.curve) for name in group)
    texts = sum(len(name) + len(uri) for name, uri in performance.artifacts.items())
    return numbers + texts + sum(len(tag) + 6 for tag in performance.per_tag)


def _thinned(
    curve: tuple[Mapping[str, float], ...], points: int
) -> tuple[Mapping[str, float], ...]:
    """Every n-th point, and always the last."""
    every = math.ceil(len(curve) / points) or 1
    kept = curve[::-1][::every][::-1]
    return tuple(_numbers(point, METRICS_PER_TAG_AT_MOST) for point in kept)
