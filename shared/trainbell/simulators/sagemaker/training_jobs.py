"""A simulated training job: its stages follow each other with time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from trainbell.simulators.settings import Seconds

MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
_WORKING = (("Downloading", 0.1), ("Training", 0.8), ("Uploading", 0.1))
"""The stages that have instances, and their shares of the time."""
_OF_SUMMARY = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingEndTime",
    "LastModifiedTime",
    "TrainingJobStatus",
)
_OFF = {
    "EnableNetworkIsolation": False,
    "EnableInterContainerTrafficEncryption": False,
    "EnableManagedSpotTraining": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a job goes: how long it waits for instances, works and takes to stop, what it measures,
    and its `FailureReason` if it fails at the end of its training."""

    starting_seconds: Seconds = 2.0
    working_seconds: Seconds = 20.0
    stopping_seconds: Seconds = 2.0
    failure: str = ""
    metrics: Mapping[str, float] = field(
        default_factory=lambda: {"validation:accuracy": 0.9312, "validation:loss": 0.2174}
    )


@dataclass(slots=True, kw_only=True)
class TrainingJob:
    """`given` is the body of CreateTrainingJob."""

    arn: str
    given: Mapping[str, Any]
    plan: Plan
    created_at: datetime
    stopped_at: datetime | None = None

    def status(self, now: datetime) -> str:
        """The service's word; the stage is finer."""
        stage = self.stages(now)[-1][1]
        if stage == "MaxRuntimeExceeded":
            return "Stopped"
        return stage if stage in ("Completed", "Failed", "Stopping", "Stopped") else "InProgress"

    def stages(self, now: datetime) -> list[tuple[datetime, str]]:
        """Those that have begun, oldest first, each with its time."""
        return [(at, stage) for at, stage in self._course() if at <= now]

    def described(self, now: datetime, shown: Callable[[datetime], datetime]) -> dict[str, Any]:
        """The answer of DescribeTrainingJob. `shown`: how the service would tell a time."""
        stages, status = self.stages(now), self.status(now)
        begun = next((at for at, stage in stages if stage == "Downloading"), None)
        ended = stages[-1][0] if status in ("Completed", "Failed", "Stopped") else None
        description: dict[str, Any] = {
            **_with_defaults(self.given),
            "TrainingJobArn": self.arn,
            "TrainingJobStatus": status,
            "SecondaryStatus": stages[-1][1],
            "CreationTime": shown(self.created_at).timestamp(),
            "LastModifiedTime": shown(stages[-1][0]).timestamp(),
            "SecondaryStatusTransitions": _transitions(stages, ended, shown),
        }
        description.pop("Tags", None)
        if begun is not None:
            description["TrainingStartTime"] = shown(begun).timestamp()
        if ended is not None:
            spent = round((ended - (begun or ended)).total_seconds())
            description |= {
                "TrainingEndTime": shown(ended).timestamp(),
                "TrainingTimeInSeconds": spent,
                "BillableTimeInSeconds": spent,
            }
        if status == "Failed":
            description["FailureReason"] = self.plan.failure
        if status == "Completed" and ended is not None:
            description |= self._made(shown(ended).timestamp())
        return description

    def summary(self, now: datetime, shown: Callable[[datetime], datetime]) -> dict[str, Any]:
        """One of the answer of ListTrainingJobs."""
        described = self.described(now, shown)
        return {name: described[name] for name in _OF_SUMMARY if name in described}

    def tags(self) -> list[dict[str, str]]:
        return list(self.given.get("Tags") or ())

    def _made(self, at: float) -> dict[str, Any]:
        folder = self.given["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        name = self.given["TrainingJobName"]
        return {
            "ModelArtifacts": {"S3ModelArtifacts": f"{folder}/{name}/output/model.tar.gz"},
            "FinalMetricDataList": [
                {"MetricName": name, "Value": value, "Timestamp": at}
                for name, value in self.plan.metrics.items()
            ],
        }

    def _course(self) -> list[tuple[datetime, str]]:
        """All its stages, as far as is known by now."""
        at = self.created_at
        course = [(at, "Starting")]
        begun = at = at + timedelta(seconds=self.plan.starting_seconds)
        for stage, share in _WORKING:
            course.append((at, stage))
            at += timedelta(seconds=self.plan.working_seconds * share)
            if stage == "Training" and self.plan.failure:
                break
        course.append((at, "Failed" if self.plan.failure else "Completed"))
        longest = self.given["StoppingCondition"].get("MaxRuntimeInSeconds")
        cuts = [(begun + timedelta(seconds=longest), "MaxRuntimeExceeded")] if longest else []
        cuts += [(self.stopped_at, "Stopped")] if self.stopped_at else []
        cut_at, end = min(cuts, default=(at, ""))
        if cut_at >= at:
            return course
        stopped = cut_at + timedelta(seconds=self.plan.stopping_seconds)
        kept = [step for step in course if step[0] < cut_at]
        return [*kept, (cut_at, "Stopping"), (stopped, end)]


def _with_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """The body of CreateTrainingJob as the service tells it: what was left out has its default.
    Seen in recorded answers; AWS's own SDK reads some of these without asking whether they are."""
    algorithm = {"EnableSageMakerMetricsTimeSeries": True, **given["AlgorithmSpecification"]}
    output = {"KmsKeyId": "", "CompressionType": "GZIP", **given["OutputDataConfig"]}
    told = {**_OFF, **given, "AlgorithmSpecification": algorithm, "OutputDataConfig": output}
    if given.get("InputDataConfig"):
        told["InputDataConfig"] = [_channel(each) for each in given["InputDataConfig"]]
    return told


def _channel(given: Mapping[str, Any]) -> dict[str, Any]:
    channel = {"CompressionType": "None", "RecordWrapperType": "None", **given}
    source = channel.get("DataSource")
    if isinstance(source, dict) and isinstance(source.get("S3DataSource"), dict):
        place = {"S3DataDistributionType": "FullyReplicated", **source["S3DataSource"]}
        channel["DataSource"] = {**source, "S3DataSource": place}
    return channel


def _transitions(
    stages: list[tuple[datetime, str]],
    ended: datetime | None,
    shown: Callable[[datetime], datetime],
) -> list[dict[str, Any]]:
    until = [at for at, _ in stages[1:]] + [ended]
    return [
        {
            "Status": stage,
            "StartTime": shown(at).timestamp(),
            "StatusMessage": MESSAGES[stage],
            **({"EndTime": shown(end).timestamp()} if end else {}),
        }
        for (at, stage), end in zip(stages, until, strict=True)
    ]
