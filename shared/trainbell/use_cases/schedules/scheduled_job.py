"""The job of one due time: its body, and the key that makes it one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from trainbell.domain.settings import Schedule

DUE_AT_TAG = "trainbell:due_at"


def scheduled_body(schedule: Schedule, due_at: datetime) -> dict[str, Any]:
    """The schedule's job for one due time.

    A job's name is unique, so a named one gets the due time as a suffix. A tag says the due time,
    for people, and to find the job by.
    """
    body = {**schedule.job, "project": schedule.project}
    name, tags = body.get("name"), body.get("tags", {})
    if isinstance(name, str):
        body["name"] = f"{name}-{due_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    if isinstance(tags, Mapping):
        body["tags"] = {**tags, DUE_AT_TAG: due_text(due_at)}
    return body


def due_text(due_at: datetime) -> str:
    """RFC 3339 in UTC, to the second: `2026-03-02T09:00:00Z`."""
    return f"{due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def scheduled_key(name: str, due_at: datetime) -> str:
    """The idempotency key of one due time: the same whoever runs it, however often."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:24]
    return f"schedule-{digest}-{due_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
