"""What a training has reported so far, read from its progress file (docs/progress-file.md).

The file is written by anybody's code in any language, so nothing in it is trusted: what cannot be
used is left out, and what is too much is cut. No content makes `read_report` raise.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainbell.domain.job import Performance
from trainbell.providers.local.regular_files import NotRegular, open_regular

MAX_BYTES = 262_144
MAX_LINE_BYTES = 65_536
MAX_NAMES = 100
MAX_TAGS = 200
MAX_TAG_METRICS = 20
MAX_CURVE_POINTS = 200
MAX_POINT_FIELDS = 20
MAX_NAME_CHARACTERS = 100
MAX_TEXT_CHARACTERS = 500
MAX_URI_CHARACTERS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The sum of all lines: of each word the last, of each metric the last, of the curve all."""

    progress: float | None = None
    message: str | None = None
    stage: str | None = None
    performance: Performance = field(default_factory=Performance)


def read_report(path: Path) -> Report:
    """Read the last 256 KiB of the file. A file that is not there reports nothing.

    A curve of more than 200 points is thinned evenly; its first and last points stay.

    Something else in its place, such as a FIFO, is told as the message.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - MAX_BYTES))
            data = file.read(MAX_BYTES) or b""
    except FileNotFoundError:
        return Report()
    except NotRegular as error:
        return Report(message=f"{error}: no report is read from it")
    if size > MAX_BYTES:
        data = data.partition(b"\n")[2]
    return report_of(data)


def report_of(data: bytes) -> Report:
    """The report in these lines. A last line without its line feed is still being written."""
    gathered = _Gathered()
    for line in data[: data.rfind(b"\n") + 1].split(b"\n"):
        if line and len(line) <= MAX_LINE_BYTES:
            gathered.take(_entry(line))
    return gathered.report()


class _Gathered:
    def __init__(self) -> None:
        self._progress: float | None = None
        self._words: dict[str, str] = {}
        self._numbers: dict[str, dict[str, float]] = {"metrics": {}, "cost": {}}
        self._per_tag: dict[str, dict[str, float]] = {}
        self._artifacts: dict[str, str] = {}
        self._curve: list[Mapping[str, float]] = []

    def take(self, entry: Mapping[str, Any]) -> None:
        for name, value in entry.items():
            match name:
                case "progress":
                    self._take_progress(_number(value))
                case "message" | "stage":
                    if isinstance(value, str) and value.strip():
                        self._words[name] = _text(value.strip(), MAX_TEXT_CHARACTERS)
                case "metrics" | "cost":
                    _take_numbers(self._numbers[name], value, MAX_NAMES)
                case "curve":
                    self._take_point(value)
                case "per_tag":
                    self._take_tags(value)
                case "artifacts":
                    self._take_artifacts(value)

    def _take_progress(self, progress: float | None) -> None:
        if progress is not None and 0.0 <= progress <= 1.0:
            self._progress = progress

    def _take_point(self, numbers: object) -> None:
        point: dict[str, float] = {}
        _take_numbers(point, numbers, MAX_POINT_FIELDS)
        if point:
            self._curve.append(point)

    def _take_tags(self, tags: object) -> None:
        for tag, numbers in _named(tags):
            if tag in self._per_tag or len(self._per_tag) < MAX_TAGS:
                known = self._per_tag.get(tag, {})
                _take_numbers(known, numbers, MAX_TAG_METRICS)
                if known:
                    self._per_tag[tag] = known

    def _take_artifacts(self, artifacts: object) -> None:
        for name, uri in _named(artifacts):
            if isinstance(uri, str) and 0 < len(uri) <= MAX_URI_CHARACTERS:
                _put(self._artifacts, name, _text(uri, MAX_URI_CHARACTERS), MAX_NAMES)

    def report(self) -> Report:
        return Report(
            progress=self._progress,
            message=self._words.get("message"),
            stage=self._words.get("stage"),
            performance=Performance(
                metrics=self._numbers["metrics"],
                per_tag=self._per_tag,
                curve=_thinned(self._curve),
                cost=self._numbers["cost"],
                artifacts=self._artifacts,
            ),
        )


def _entry(line: bytes) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _take_numbers(into: dict[str, float], numbers: object, limit: int) -> None:
    for name, value in _named(numbers):
        number = _number(value)
        if number is not None:
            _put(into, name, number, limit)


def _put(into: dict[str, Any], name: str, value: object, limit: int) -> None:
    if name in into or len(into) < limit:
        into[name] = value


def _named(mapping: object) -> list[tuple[str, Any]]:
    if not isinstance(mapping, dict):
        return []
    return [
        (_text(name, MAX_NAME_CHARACTERS), value)
        for name, value in mapping.items()
        if 0 < len(name) <= MAX_NAME_CHARACTERS
    ]


def _number(value: object) -> float | None:
    if type(value) is not float and type(value) is not int:  # a bool is no number here
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _text(text: str, limit: int) -> str:
    """Fit to be stored and sent: lone surrogates and control characters are replaced."""
    cut = text[:limit]
    if cut.isprintable():
        return cut
    whole = cut.encode("utf-8", errors="replace").decode("utf-8")
    return "".join(c if c.isprintable() else " " for c in whole)


def _thinned(points: list[Mapping[str, float]]) -> tuple[Mapping[str, float], ...]:
    if len(points) <= MAX_CURVE_POINTS:
        return tuple(points)
    last = len(points) - 1
    steps = MAX_CURVE_POINTS - 1
    return tuple(points[round(i * last / steps)] for i in range(MAX_CURVE_POINTS))
