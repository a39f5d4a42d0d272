"""DeepVA's objects as they come over the wire.

Only what Trainbell stands on is required: an id, a state, a list's total. The rest may be missing,
null or of another shape without making an answer unreadable.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def utc_time(value: Any) -> datetime | None:
    """The service writes `2020-12-15 12:56:18.601000`: a space, and no zone, which we read as UTC.

    None where it is no time. A zone that is given is honoured.
    """
    if not isinstance(value, str) or not value:
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _number(value: Any) -> float | None:
    # bool is an int to Python, but no number to a service; NaN is none to any store.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < MAX_NUMBER else None


def _if(kind: type) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, kind) else None


MAX_NUMBER = 1e15
Time = Annotated[datetime | None, BeforeValidator(utc_time)]
Number = Annotated[float | None, BeforeValidator(_number)]
Text = Annotated[str | None, BeforeValidator(_if(str))]
Object = Annotated[dict[str, Any] | None, BeforeValidator(_if(dict))]


class Training(BaseModel):
    """A training. `progress` is 0.0 to 1.0; `duration` is in seconds and is the service's own
    figure, which is not `time_completed` less `time_started` (its documented example shows 2.8 s
    beside 42 s). `output_model` is null until done, and may stay so."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")
    state: str = Field(min_length=1, max_length=200)
    type: Text = None
    error: Text = None
    progress: Number = None
    duration: Number = None
    time_created: Time = None
    time_started: Time = None
    time_completed: Time = None
    source_dataset: Object = None
    output_model: Object = None
    output_model_name: Text = None
    output_model_changelog: Text = None


class TrainingPage(BaseModel):
    """One page of a list. `next` and `prev` are not read: they are absolute and on the wrong
    scheme (http), so following them would send the key in the clear."""

    model_config = ConfigDict(extra="ignore")

    total: int = Field(ge=0)
    data: list[Training] = Field(max_length=1000)
