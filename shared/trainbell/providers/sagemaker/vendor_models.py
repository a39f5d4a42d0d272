"""SageMaker's and CloudWatch's objects, as botocore hands them over.

Only what Trainbell stands on is required: a name, an ARN, a status. The rest may be missing or of
another shape without making an answer unreadable.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _utc(value: Any) -> datetime | None:
    """botocore gives aware times in the zone of this machine."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < MAX_NUMBER and math.isfinite(value) else None


def _if(kind: type) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, kind) else None


def _objects(value: Any) -> list[Any]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


MAX_NUMBER = 1e15
Time = Annotated[datetime | None, BeforeValidator(_utc)]
Number = Annotated[float | None, BeforeValidator(_number)]
Text = Annotated[str | None, BeforeValidator(_if(str))]
Object = Annotated[dict[str, Any] | None, BeforeValidator(_if(dict))]


class Nothing(BaseModel):
    """Answer of StopTrainingJob: an empty object."""


class Created(BaseModel):
    """Answer of CreateTrainingJob."""

    TrainingJobArn: str = Field(pattern=r"^arn:[a-z0-9-]+:sagemaker:\S+$", max_length=256)


class FinalMetric(BaseModel):
    """The last value of a metric that the training wrote to CloudWatch."""

    MetricName: Text = None
    Value: Number = None


class Transition(BaseModel):
    """A stage that the job was in, and what SageMaker says of it."""

    Status: Text = None
    StatusMessage: Text = None


class TrainingJob(Created):
    """Answer of DescribeTrainingJob. The `…InSeconds` are whole seconds of wall-clock time, of one
    instance however many there are. TrainingStartTime and TrainingEndTime may be missing, the
    latter also on a failed job."""

    model_config = ConfigDict(extra="allow")

    TrainingJobName: str = Field(min_length=1, max_length=63)
    TrainingJobStatus: str = Field(min_length=1, max_length=200)
    SecondaryStatus: Text = None
    FailureReason: Text = None
    CreationTime: Time = None
    TrainingStartTime: Time = None
    TrainingEndTime: Time = None
    TrainingTimeInSeconds: Number = None
    BillableTimeInSeconds: Number = None
    FinalMetricDataList: Annotated[list[FinalMetric], BeforeValidator(_objects)] = []
    SecondaryStatusTransitions: Annotated[list[Transition], BeforeValidator(_objects)] = []
    ModelArtifacts: Object = None
    Environment: Object = None
    ResourceConfig: Object = None


class LogStream(BaseModel):
    logStreamName: str  # noqa: N815 - CloudWatch's own name


class LogStreams(BaseModel):
    logStreams: list[LogStream] = []  # noqa: N815


class LogEvent(BaseModel):
    """`timestamp` is in milliseconds since 1970."""

    timestamp: int = 0
    message: str = ""


class LogEvents(BaseModel):
    """A page, oldest first; `nextBackwardToken` leads to what came before it."""

    events: list[LogEvent] = []
    nextBackwardToken: str | None = None  # noqa: N815
