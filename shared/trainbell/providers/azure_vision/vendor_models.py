"""Azure AI Vision's objects as they come over the wire.

Only what Trainbell stands on is required: a name and a status. The rest may be missing, null or of
another shape without making an answer unreadable.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

MAX_NUMBER = 1e15
MAX_TAGS = 5000
"""The largest model has 3,000 categories (quota page); more is no answer of this service."""
MAX_MODELS_IN_A_PAGE = 1000


def utc_time(value: Any) -> datetime | None:
    """`2023-01-13T20:46:21.210Z`, documented as UTC; without a zone it is read so, too.

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
    """A finite number, else None. To Python a bool is an int; to this service it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < MAX_NUMBER else None


def _object(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _performance(value: Any) -> dict[str, Any] | None:
    tags = value.get("tagPerformance") if isinstance(value, dict) else None
    if isinstance(tags, dict) and len(tags) > MAX_TAGS:
        raise ValueError(f"it measures more than {MAX_TAGS} tags")
    return _object(value)


Time = Annotated[datetime | None, BeforeValidator(utc_time)]
Number = Annotated[float | None, BeforeValidator(number)]
Object = Annotated[dict[str, Any] | None, BeforeValidator(_object)]
Measured = Annotated[dict[str, Any] | None, BeforeValidator(_performance)]


class Run(BaseModel):
    """A model (which the service calls a training run) or an evaluation: they share their form.

    There is no time of the end; `updated_date_time` of an ended run is taken for it. The cost is
    there once a training has completed; an evaluation has none.
    """

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)

    name: str = Field(min_length=1, max_length=1000)
    status: str = Field(min_length=1, max_length=200)
    created_date_time: Time = None
    updated_date_time: Time = None
    training_parameters: Object = None
    evaluation_parameters: Object = None
    model_performance: Measured = None
    training_cost_in_minutes: Number = None
    error: Object = None

    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """What it was made with, as `parameters.Section`."""
        return {
            "trainingParameters": self.training_parameters or {},
            "evaluationParameters": self.evaluation_parameters or {},
        }


class ModelPage(BaseModel):
    """One page of models. A link to the next is not documented, and would not be followed: pages
    are asked for by `skip`."""

    model_config = ConfigDict(extra="ignore")

    value: list[Run] = Field(max_length=MAX_MODELS_IN_A_PAGE)
