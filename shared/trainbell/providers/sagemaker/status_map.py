"""SageMaker's statuses and ours.

`TrainingJobStatus` decides; `SecondaryStatus` is the stage, of which AWS says that its "valid
values are subject to change", so nothing but the exceptions below hangs on it.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
"""

from __future__ import annotations

from collections.abc import Mapping

from trainbell.domain.job import EndReason, State

STATUS_MAP: Mapping[str, State] = {
    "InProgress": State.RUNNING,
    "Stopping": State.CANCELLING,
    "Completed": State.SUCCEEDED,
    "Failed": State.FAILED,
    "Stopped": State.CANCELLED,
    # Only an ended job can be deleted, and its stage still says how it ended: see `read_status`.
    "Deleting": State.RUNNING,
}

WAITING_STAGES = frozenset(
    {"Starting", "Pending", "LaunchingMLInstances", "PreparingTrainingStack"}
)
"""Stages of a job that has no instances yet: it is queued, until its first start time."""

TIME_IS_UP = frozenset({"MaxRuntimeExceeded", "MaxWaitTimeExceeded"})
"""Stages of a `Stopped` job that nobody stopped: its own StoppingCondition did."""


def read_status(
    status: str, stage: str | None, *, has_started: bool
) -> tuple[State | None, EndReason | None]:
    """Our state, and the end reason where the state alone does not give it.

    None for a status that is not in the table. A spot interruption (stages `Interrupted`,
    `Restarting`, `Starting` again) leaves the status `InProgress`, so the job keeps running.
    """
    if status == "Deleting" and stage is not None and stage in STATUS_MAP:
        status = stage
    state = STATUS_MAP.get(status)
    if status == "InProgress" and stage in WAITING_STAGES and not has_started:
        return State.QUEUED, None
    if state is State.CANCELLED and stage in TIME_IS_UP:
        return State.EXPIRED, EndReason.DEADLINE_EXCEEDED
    return state, None
