"""SageMaker's and CloudWatch's objects, as botocore hands them over.

Only what Trainbell stands on is required: a name, an ARN, a status. The rest may be missing or of
another shape without making an answer unreadable.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from trainbell.providers.vendor_values import Number, Object, Text, Word


def _utc(value: Any) -> datetime | None:
    """botocore gives aware times in the zone of this machine."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return None


def _objects(value: Any) -> list[Any]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


Time = Annotated[datetime | None, BeforeValidator(_utc)]


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
    TrainingJobStatus: Word
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


class Summary(Created):
    """Of a training job, in a list."""

    TrainingJobName: str = Field(min_length=1, max_length=63)
    TrainingJobStatus: Word
    SecondaryStatus: Text = None
    CreationTime: Time = None
    TrainingEndTime: Time = None
    LastModifiedTime: Time = None


class TrainingJobs(BaseModel):
    """A page. It may be empty though `NextToken` leads on."""

    TrainingJobSummaries: list[Summary]
    NextToken: str | None = None


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
