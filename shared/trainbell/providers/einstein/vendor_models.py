"""Einstein's objects as they come over the wire.

Only what Trainbell stands on is required: a model's id and its status. The rest may be missing,
null or of another shape without making an answer unreadable. The vendor's own documents disagree on
`trainParams` and `trainStats` (an object here, a string there): both are read.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import from_json

from trainbell.providers.vendor_values import MAX_NUMBER, Flag, Id, Number, Text, Time, Word, number


def _whole(value: Any) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def _identity(value: Any) -> str | None:
    """An id, which is a number for datasets."""
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        return None
    return str(value)


def _object(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        try:
            value = from_json(value, allow_inf_nan=False)
        except ValueError:
            return None
    return value if isinstance(value, dict) else None


Whole = Annotated[int | None, BeforeValidator(_whole)]
Identity = Annotated[str | None, BeforeValidator(_identity)]
JsonObject = Annotated[dict[str, Any] | None, BeforeValidator(_object)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)


class Training(_Wire):
    """A model and the latest training of it; both ends of a start answer with this, and a list of
    models holds it without the last nine fields. `progress` is 0.0 to 1.0. There is no time of
    completion: `updated_at` is the nearest."""

    model_id: Id
    status: Word
    name: Text = None
    dataset_id: Identity = None
    model_type: Text = None
    algorithm: Text = None
    progress: Number = None
    queue_position: Whole = None
    failure_msg: Text = None
    created_at: Time = None
    updated_at: Time = None
    epochs: Whole = None
    last_epoch_done: Whole = None
    early_stopping: Flag = None
    learning_rate: Number = None
    train_params: JsonObject = None
    train_stats: JsonObject = None


class ModelPage(_Wire):
    """One page of a dataset's models. Neither a total nor a next page is told."""

    data: list[Training] = Field(max_length=1000)


class Dataset(_Wire):
    """`status_msg` is DELETE_PENDING while the service deletes it."""

    id: Identity = None
    status_msg: Text = None


class Metrics(_Wire):
    metrics_data: JsonObject = None


class CurvePoint(_Wire):
    epoch: Number = None
    metrics_data: JsonObject = None


class CurvePage(_Wire):
    data: list[CurvePoint] = Field(max_length=1000)


class Usage(_Wire):
    """Plans of this account, a month each."""

    data: list[dict[str, Any]] = Field(max_length=1000)


class Token(_Wire):
    """`expires_in` is documented as a string of seconds."""

    access_token: str = Field(
        min_length=1,
        max_length=4096,
        pattern=r"^[\x21-\x7e]+$",
        validation_alias=AliasChoices("access_token"),
    )
    expires_in: str | float | None = Field(
        default=None, validation_alias=AliasChoices("expires_in")
    )

    def seconds(self) -> float | None:
        """How long it lives; None where that is not told."""
        try:
            told = float(self.expires_in if self.expires_in is not None else "nan")
        except ValueError:
            return None
        return told if 0 < told < MAX_NUMBER else None
