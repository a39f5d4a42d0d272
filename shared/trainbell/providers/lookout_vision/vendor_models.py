"""Lookout's objects as they come over the wire.

Only what Trainbell stands on is required: a status, a version where a model is named. The rest may
be missing, null or of another shape without making an answer unreadable.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from trainbell.providers.vendor_values import Number, Text, Word, number, only

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
VERSION = r"^[1-9][0-9]{0,9}$"


def epoch_time(value: Any) -> datetime | None:
    """The service writes seconds since 1970, with fractions. None where it is no such number."""
    seconds = number(value)
    try:
        return None if seconds is None else _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None


Time = Annotated[datetime | None, BeforeValidator(epoch_time)]


class _FromTheWire(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_pascal)


class ModelPerformance(_FromTheWire):
    """Each 0.0 to 1.0, measured on the test images."""

    f1_score: Number = None
    precision: Number = None
    recall: Number = None


class S3Object(_FromTheWire):
    """Of the output location, which has a prefix, or of a file, which has a key."""

    bucket: Text = None
    key: Text = None
    prefix: Text = None


Object = BeforeValidator(only(dict))


class OutputPlace(_FromTheWire):
    s3_location: Annotated[S3Object | None, Object] = None


class Model(_FromTheWire):
    """A model version, as each call shows it: `ModelMetadata` and `ModelDescription` in one.

    `evaluation_end_timestamp` is the only end time; a failed training has none.
    """

    model_version: str = Field(pattern=VERSION)
    status: Word
    model_arn: Text = None
    description: Text = None
    status_message: Text = None
    creation_timestamp: Time = None
    performance: Annotated[ModelPerformance | None, Object] = None
    output_config: Annotated[OutputPlace | None, Object] = None
    evaluation_manifest: Annotated[S3Object | None, Object] = None
    evaluation_result: Annotated[S3Object | None, Object] = None
    evaluation_end_timestamp: Time = None


class CreatedModel(_FromTheWire):
    model_metadata: Model


class DescribedModel(_FromTheWire):
    model_description: Model


class ModelPage(_FromTheWire):
    """`next_token` is None on the last page."""

    models: list[Model] = Field(max_length=1000)
    next_token: str | None = Field(default=None, max_length=2048)


class ProjectPage(_FromTheWire):
    projects: list[dict[str, Any]] = Field(max_length=1000)
    next_token: str | None = Field(default=None, max_length=2048)


class _Tag(_FromTheWire):
    key: str
    value: str


class TagList(_FromTheWire):
    tags: list[_Tag] = Field(max_length=1000)
