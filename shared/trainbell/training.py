"""For training scripts: tell Trainbell how it goes, as simply as with `print`.

    from trainbell.training import report

    report(progress=0.4, accuracy=0.93, message="epoch 4 of 10")

Standard library only. Outside Trainbell nothing is written. The file that it writes is described
in docs/progress-file.md, so that any language can do the same.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any, SupportsFloat

PROGRESS_FILE_VARIABLE = "TRAINBELL_PROGRESS_FILE"
MAX_LINE_BYTES = 65_536

Numbers = Mapping[str, SupportsFloat]


def report(
    *,
    progress: SupportsFloat | None = None,
    message: str | None = None,
    stage: str | None = None,
    metrics: Numbers | None = None,
    per_tag: Mapping[str, Numbers] | None = None,
    curve: Numbers | None = None,
    cost: Numbers | None = None,
    artifacts: Mapping[str, str] | None = None,
    **named_metrics: SupportsFloat,
) -> None:
    """Report what is known now; everything is optional, and the last word on anything wins.

    `progress` is 0 to 1. `named_metrics` (`accuracy=0.93`) are the same as `metrics`. `per_tag`:
    class or label → metric → number. `curve`: one point of the learning curve, such as
    `{"epoch": 4, "loss": 0.21}`. `cost`: name with unit → number. `artifacts`: name → URI.
    Numbers may be numpy's or torch's; those that are not finite are left out.

    Safe from several threads and processes: each call is one write at the file's end. A disk that
    fails is no reason to stop a training, so that is never raised.

    Raises:
        TypeError: a value is of the wrong type; outside Trainbell too, where it is easier to see.
        ValueError: the report is longer than 65,536 bytes.
    """
    entry: dict[str, Any] = {
        "progress": None if progress is None else _number("progress", progress),
        "message": _word("message", message),
        "stage": _word("stage", stage),
        "metrics": _numbers({**(metrics or {}), **named_metrics}),
        "per_tag": {str(tag): _numbers(numbers) for tag, numbers in (per_tag or {}).items()},
        "curve": _numbers(curve or {}),
        "cost": _numbers(cost or {}),
        "artifacts": {str(name): str(uri) for name, uri in (artifacts or {}).items()},
    }
    said = {name: value for name, value in entry.items() if value not in (None, {})}
    line = json.dumps(said, separators=(",", ":")).encode() + b"\n"
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"a report must not be longer than {MAX_LINE_BYTES} bytes")
    path = os.environ.get(PROGRESS_FILE_VARIABLE)
    if path and said:
        _append(path, line)


def _append(path: str, line: bytes) -> None:
    try:
        # Without blocking: something else may be in the file's place that nobody reads.
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)
    except OSError:
        return


def _numbers(numbers: Numbers) -> dict[str, float]:
    known = ((str(name), _number(str(name), value)) for name, value in numbers.items())
    return {name: value for name, value in known if value is not None}


def _number(name: str, value: SupportsFloat) -> float | None:
    if isinstance(value, str):
        raise TypeError(f"{name} must be a number, not {value!r}")
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _word(name: str, value: str | None) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be a string, not {value!r}")
    return value
