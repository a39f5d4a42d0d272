"""A notice as an entry of `events:PutEvents`. The detail is the CloudEvent, whole."""

from __future__ import annotations

import json
from typing import Any

from trainbell.channels.cloud_event import SOURCE, cloud_event
from trainbell.ports import Notice


def bus_entry(notice: Notice, bus: str) -> dict[str, Any]:
    """Rules match `source: trainbell`, `detail-type: JobFinished`, and any part of the detail,
    such as `detail.data.job.state`."""
    return {
        "Source": SOURCE,
        "DetailType": notice.event.type.value,
        "Detail": json.dumps(cloud_event(notice), separators=(",", ":"), ensure_ascii=False),
        "EventBusName": bus,
        "Time": notice.event.at,
    }
