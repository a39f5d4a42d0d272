"""Tell what the outbox holds: on new entries in the table's stream, and every minute for retries.

What was to be told is read from the outbox, never from the event: a repeated, filtered or lost
stream record changes nothing.
"""

from __future__ import annotations

from typing import Any

from trainbell.bootstrap.cloud import cloud_services
from trainbell.cloud.telemetry import count, observed
from trainbell.use_cases.telling.publish_changes import publish_changes


@observed
def handler(_event: dict[str, Any], _context: Any) -> None:
    report = publish_changes(cloud_services())
    count(
        {
            "Delivered": report.delivered,
            "DeliveriesToRetry": report.postponed,
            "DeliveriesGivenUp": report.given_up,
        }
    )
