"""What services write for a time, a number or a text, read with one hand.

A field of these types is None where it is missing, null or of another shape: only what a provider
stands on may make an answer unreadable.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

MAX_NUMBER = 1e15


def utc_time(value: Any) -> datetime | None:
    """An ISO 8601 time in UTC, also with a space for the T; without a zone it is read as UTC.

    None where it is no time.
    """
    if not isinstance(value, str) or not value:
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def number(value: Any) -> float | None:
    """A number below `MAX_NUMBER`, else None: NaN and infinity are none to any store, and a bool,
    which is an int to Python, is no number to a service."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < MAX_NUMBER else None


def only(kind: type) -> Callable[[Any], Any]:
    """The value where it is of this kind, else None."""
    return lambda value: value if isinstance(value, kind) else None


Time = Annotated[datetime | None, BeforeValidator(utc_time)]
Number = Annotated[float | None, BeforeValidator(number)]
Text = Annotated[str | None, BeforeValidator(only(str))]
Flag = Annotated[bool | None, BeforeValidator(only(bool))]
Object = Annotated[dict[str, Any] | None, BeforeValidator(only(dict))]

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
"""Required: what a job is named by, and nothing that could lead out of a URL's path."""
Word = Annotated[str, Field(min_length=1, max_length=200)]
"""Required: a status, in the service's own word."""
