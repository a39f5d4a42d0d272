"""Every five minutes: active jobs that nobody looked at in time get a watcher again, and jobs that
have been kept for long enough are forgotten."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from trainbell.bootstrap.cloud import cloud_environment, cloud_services
from trainbell.cloud.telemetry import count, logger, observed
from trainbell.use_cases.care.retain import forget_expired_jobs
from trainbell.use_cases.jobs.reconcile_jobs import reconcile_jobs


@observed
def handler(_event: dict[str, Any], _context: Any) -> None:
    overdue_after = cloud_environment().overdue_after_seconds
    report = reconcile_jobs(cloud_services(), overdue_after_seconds=overdue_after)
    logger.info("reconciled", extra=asdict(report))
    count(
        {
            "JobsRewatched": report.rewatched,
            "JobsNotRewatched": report.failed,
            "RecordsUnreadable": report.unreadable,
        }
    )
    count({"JobsForgotten": forget_expired_jobs(cloud_services())})
