"""EventBridge's `SageMaker Training Job State Change`: look at our job at once."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel

from trainbell.bootstrap.cloud import cloud_services
from trainbell.cloud.telemetry import about_job, count, observed
from trainbell.use_cases.jobs.poll_on_event import poll_on_event


class TrainingJob(BaseModel):
    TrainingJobName: str


class StateChange(BaseModel):
    time: AwareDatetime
    detail: TrainingJob


@observed
def handler(event: dict[str, Any], _context: Any) -> None:
    change = StateChange.model_validate(event)
    job = poll_on_event(cloud_services(), change.detail.TrainingJobName, change.time)
    if job is not None:
        about_job(job.id)
    count({"PollsOnEvent": int(job is not None)})
