"""`ports.Watchers` with one Step Functions execution for each watcher of a job."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from trainbell.cloud.aws_errors import mapped_errors
from trainbell.cloud.watch_turn import WatchTurn
from trainbell.domain.job import Job

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StepFunctionsWatchers:
    """Starts executions of `workflow/job_lifecycle.asl.json`.

    An execution is named `<job id>-<watch>`, and a name is good for one execution in 90 days
    (docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html): a repeat
    starts nothing, whoever makes it.
    """

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def watch(self, job: Job) -> None:
        """Raises StoreUnavailable, StoreFull or ConfigInvalid; then nothing watches yet."""
        turn = WatchTurn(job_id=job.id, watch=job.watch.number)
        with mapped_errors("StartExecution"):
            try:
                self._client.start_execution(
                    stateMachineArn=self._state_machine_arn,
                    name=turn.execution_name,
                    input=json.dumps(turn.as_input()),
                )
            except self._client.exceptions.ExecutionAlreadyExists:
                return
