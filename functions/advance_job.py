"""The state AdvanceJob: look at a job once, and say what the watcher does next."""

from __future__ import annotations

from typing import Any

from trainbell.bootstrap.cloud import cloud_environment, cloud_services
from trainbell.cloud.telemetry import about_job, count, observed
from trainbell.cloud.watch_turn import WatchTurn
from trainbell.use_cases.jobs.advance_job import advance_job


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    turn = WatchTurn.parse(event).next()
    about_job(turn.job_id)
    enough = turn.loops >= cloud_environment().loops_per_execution
    step = advance_job(cloud_services(), turn.job_id, watch=turn.watch, hand_over=enough)
    failed = step.job.watch.failed_polls_in_a_row > 0
    count({"Polls": 1, "FailedPolls": int(failed), "HandOvers": int(step.handed_over)})
    return turn.outcome(
        step.job, step.wait_seconds, superseded=step.superseded, hand_over=step.handed_over
    )
