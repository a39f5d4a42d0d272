"""The state StartJob: bring a requested job to its service."""

from __future__ import annotations

from typing import Any

from trainbell.bootstrap.cloud import cloud_services
from trainbell.cloud.telemetry import about_job, count, observed
from trainbell.cloud.watch_turn import WatchTurn
from trainbell.use_cases.jobs.advance_job import advance_job


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    turn = WatchTurn.parse(event)
    about_job(turn.job_id)
    step = advance_job(cloud_services(), turn.job_id, watch=turn.watch)
    count({"WatchersStarted": 1})
    return turn.outcome(step.job, step.wait_seconds, superseded=step.superseded)
