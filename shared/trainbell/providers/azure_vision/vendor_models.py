"""Azure AI Vision's objects as they come over the wire.

Only what Trainbell stands on is required: a name and a status. The rest may be missing, null or of
another shape without making an answer unreadable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from trainbell.providers.vendor_values import Number, Object, Time, Word

MAX_TAGS = 5000
"""The largest model has 3,000 categories (quota page); more is no answer of this service."""
MAX_MODELS_IN_A_PAGE = 1000


def _performance(value: Any) -> dict[str, Any] | None:
    tags = value.get("tagPerformance") if isinstance(value, dict) else None
    if isinstance(tags, dict) and len(tags) > MAX_TAGS:
        raise ValueError(f"it measures more than {MAX_TAGS} tags")
    return value if isinstance(value, dict) else None


Measured = Annotated[dict[str, Any] | None, BeforeValidator(_performance)]


class Run(BaseModel):
    """A model (which the service calls a training run) or an evaluation: they share their form.

    There is no time of the end; `updated_date_time` of an ended run is taken for it. The cost is
    there once a training has completed; an evaluation has none.
    """

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)

    name: str = Field(min_length=1, max_length=1000)
    status: Word
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
