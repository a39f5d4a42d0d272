"""Reads numbers, spans and moments as they are typed."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

import typer

_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_NO_SPAN = "'{}' is no span such as 2h30m, and no time such as 2026-11-21T09:00:00Z"


def number(text: str) -> float:
    """A number that JSON can carry. Raises typer.BadParameter for others: `nan`, `inf`, `1e400`."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise typer.BadParameter(f"'{text}' is no finite number")
    return found


def deadline_of(text: str | None) -> dict[str, float | str]:
    """`2h30m` as `deadline_seconds`; a time such as 2026-11-21T09:00:00Z as `deadline_at`, in UTC.

    A span is sent as one, so that the same command again is the same request.
    """
    if text is None:
        return {}
    try:
        span = _span_of(text)
        return {"deadline_at": _moment_of(text)} if span is None else {"deadline_seconds": span}
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(_NO_SPAN.format(text), param_hint="--deadline") from error


def _span_of(text: str) -> float | None:
    spans = _SPAN.findall(text)
    if not spans or "".join(amount + unit for amount, unit in spans) != text:
        return None
    lengths = (timedelta(**{_UNITS[unit]: float(amount)}) for amount, unit in spans)
    return sum(lengths, timedelta()).total_seconds()


def _moment_of(text: str) -> str:
    at = datetime.fromisoformat(text)
    at = (at if at.tzinfo else at.astimezone()).astimezone(UTC)
    return at.isoformat().replace("+00:00", "Z")
