"""A notice as the arguments of `sns:Publish`: a subject to read, a body for both, attributes."""

from __future__ import annotations

import json
from typing import Any

from trainbell.channels.cloud_event import BYTES_AT_MOST, cloud_event
from trainbell.channels.wording import summary_of
from trainbell.ports import Notice

SUBJECT_AT_MOST = 100
_ATTRIBUTE_AT_MOST = 256


def sns_message(notice: Notice, topic_arn: str) -> dict[str, Any]:
    """Subscribers filter by the attributes `type`, `project`, `provider`, `kind`, `state` and
    `end_reason`. On a FIFO topic a job's events stay in order, and a repeat within five minutes is
    dropped by SNS itself."""
    message: dict[str, Any] = {
        "TopicArn": topic_arn,
        "Subject": _subject(notice),
        "Message": _body(notice),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value[:_ATTRIBUTE_AT_MOST]}
            for name, value in _attributes(notice).items()
            if value
        },
    }
    if topic_arn.endswith(".fifo"):
        message["MessageGroupId"] = notice.job.id
        message["MessageDeduplicationId"] = notice.id
    return message


def _subject(notice: Notice) -> str:
    # SNS takes printable ASCII only.
    text = f"Trainbell: {summary_of(notice)}".encode("ascii", "replace").decode()
    return text if len(text) <= SUBJECT_AT_MOST else text[: SUBJECT_AT_MOST - 3] + "..."


def _body(notice: Notice) -> str:
    event = cloud_event(notice)
    # Indented where that fits: subscribers by e-mail read it as it is.
    spacious = json.dumps(event, indent=2, ensure_ascii=False)
    if len(spacious.encode()) <= BYTES_AT_MOST:
        return spacious
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False)


def _attributes(notice: Notice) -> dict[str, str | None]:
    job = notice.job
    return {
        "type": notice.event.type.value,
        "project": job.order.project,
        "provider": job.order.provider,
        "kind": job.order.kind,
        "state": notice.event.state.value,
        "end_reason": job.end_reason.value if job.end_reason else None,
    }
