"""The event that goes out to machines: CloudEvents 1.0 in structured JSON (cloudevents.io).

The one form for every channel that machines read. It holds what a receiver needs to act without
asking back, and no secret: parameters and the like are masked (`trainbell.redaction`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from trainbell.channels.wording import reason_of, summary_of
from trainbell.plain_text import one_line
from trainbell.ports import Notice
from trainbell.redaction import redacted
from trainbell.views.job import job_facts

SOURCE = "trainbell"
BYTES_AT_MOST = 240 * 1024
"""SNS takes 256 KiB for message and attributes together; the rest is left for those."""

TEXT_AT_MOST = 4000

# What may be long, the least missed first.
_TRIMMED_IN_TURN = (
    ("job", "performance", "curve"),
    ("job", "performance", "per_tag"),
    ("job", "error_details"),
    ("job", "parameters"),
    ("event", "data"),
    ("job", "performance", "artifacts"),
    ("job", "handle"),
    ("job", "tags"),
    ("job", "performance"),
)


def cloud_event(notice: Notice, *, bytes_at_most: int = BYTES_AT_MOST) -> dict[str, Any]:
    """The notice as a CloudEvent: plain, JSON-ready, at most `bytes_at_most` as UTF-8 JSON.

    `id` is the event's stable id: a receiver that has seen it drops the repeat. Parts that do not
    fit are left out whole, and `data.trimmed` names them.
    """
    event = notice.event
    data: dict[str, Any] = {
        "summary": summary_of(notice),
        "url": notice.url,
        "event": {
            "sequence": event.sequence,
            "state": event.state.value,
            "previous_state": event.previous_state.value if event.previous_state else None,
            "data": redacted(_plain(event.data)),
        },
        "job": _job(notice),
    }
    reason = reason_of(notice.job)
    if reason:
        data["reason"] = one_line(reason, TEXT_AT_MOST)
    whole = {
        "specversion": "1.0",
        "id": event.id,
        "source": SOURCE,
        "type": event.type.value,
        "subject": event.job_id,
        "time": _plain(event.at),
        "datacontenttype": "application/json",
        "data": data,
    }
    _trim(whole, data, bytes_at_most)
    return whole


def _job(notice: Notice) -> dict[str, Any]:
    """The public facts of the job when the event happened, secrets masked, long texts cut."""
    facts = job_facts(notice.job, notice.event.at, notice.url)
    masked: dict[str, Any] = redacted(_plain(facts.model_dump()))
    for holder in (masked, masked["last_error"] or {}):
        if isinstance(holder.get("message"), str):
            holder["message"] = holder["message"][:TEXT_AT_MOST]
    return masked


def json_size(value: Any) -> int:
    """Bytes of the value as compact JSON in UTF-8."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _trim(whole: Mapping[str, Any], data: dict[str, Any], bytes_at_most: int) -> None:
    for path in _TRIMMED_IN_TURN:
        if json_size(whole) <= bytes_at_most:
            return
        holder: Any = data
        for step in path[:-1]:
            holder = holder.get(step) or {}
        if holder.get(path[-1]):
            holder[path[-1]] = None
            data.setdefault("trimmed", []).append(".".join(path))


def _plain(value: Any) -> Any:
    """JSON's own types only; numbers that JSON lacks (NaN, infinities) become None."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> str | int | float | None:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        # A lone surrogate, which JSON can smuggle in, has no UTF-8 form.
        return value.encode("utf-8", "replace").decode()
    return value if isinstance(value, (int, type(None))) else str(value)
