"""`ports.Scheduler` with EventBridge Scheduler: one AWS schedule for each of ours, in one group."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trainbell.cloud.aws_errors import mapped_errors
from trainbell.cloud.environment import ScheduleTarget
from trainbell.domain.schedule_times import to_aws_expression
from trainbell.domain.settings import Schedule

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""EventBridge puts the due time in its place, the same one on each of its own retries
(docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html)."""

RETRY_FOR_SECONDS = 6 * 3600
RETRIES_AT_MOST = 100


class EventBridgeScheduler:
    """Each schedule invokes the function run_schedule with its name and the due time."""

    def __init__(self, client: EventBridgeSchedulerClient, target: ScheduleTarget) -> None:
        self._client = client
        self._target = target

    def put(self, schedule: Schedule) -> None:
        """Create or replace. Raises StoreUnavailable, StoreFull or ConfigInvalid."""
        settings = self._settings(schedule)
        with mapped_errors(f"the schedule {schedule.name}"):
            try:
                self._client.update_schedule(**settings)
            except self._client.exceptions.ResourceNotFoundException:
                self._client.create_schedule(**settings)

    def delete(self, name: str) -> None:
        """One that is not there is deleted already. Raises as `put`."""
        with mapped_errors(f"the schedule {name}"):
            try:
                self._client.delete_schedule(Name=name, GroupName=self._target.group)
            except self._client.exceptions.ResourceNotFoundException:
                return

    def _settings(self, schedule: Schedule) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "Name": schedule.name,
            "GroupName": self._target.group,
            "ScheduleExpression": to_aws_expression(schedule.expression),
            "ScheduleExpressionTimezone": schedule.time_zone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED" if schedule.enabled else "DISABLED",
            "Target": {
                "Arn": self._target.function_arn,
                "RoleArn": self._target.role_arn,
                "Input": json.dumps({"name": schedule.name, "due_at": SCHEDULED_TIME}),
                "DeadLetterConfig": {"Arn": self._target.dead_letter_arn},
                "RetryPolicy": {
                    "MaximumEventAgeInSeconds": RETRY_FOR_SECONDS,
                    "MaximumRetryAttempts": RETRIES_AT_MOST,
                },
            },
        }
        return settings
