"""A schedule is due: request its job, once for each due time."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel

from trainbell.bootstrap.cloud import cloud_services
from trainbell.cloud.telemetry import about_job, count, logger, observed
from trainbell.use_cases.schedules.run_schedule import run_schedule


class DueSchedule(BaseModel):
    """What EventBridge Scheduler sends (`cloud.eventbridge_scheduler`)."""

    name: str
    due_at: AwareDatetime


@observed
def handler(event: dict[str, Any], _context: Any) -> None:
    due = DueSchedule.model_validate(event)
    job = run_schedule(cloud_services(), due.name, due.due_at)
    if job is not None:
        about_job(job.id)
    logger.info("schedule ran", extra={"schedule": due.name, "due_at": due.due_at.isoformat()})
    count({"SchedulesRun": 1})
