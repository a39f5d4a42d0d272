"""Notices to send: an ordinary one, one with a secret in it, the largest, and the oddest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.job import EndReason, Job, Performance, State
from trainbell.ports import Notice

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECRET = "hunter2-in-a-parameter"  # noqa: S105 - the suite looks for it, and must not find it
ODD = "<!channel> \u202e*Größe* \x00\x07\n@everyone `x` [a](http://b) \U0001f514"


def a_notice(sequence: int = 7, **fields: Any) -> Notice:
    """Of a training that has succeeded; `fields` are the job's. `sequence` is the event's number,
    and so what its stable id is made of."""
    job = replace(
        Job(
            id="01conformance0000000000001",
            provider="deepva",
            connection="main",
            kind="train",
            name="nightly faces",
            created_at=NOON - timedelta(minutes=5),
            started_at=NOON - timedelta(minutes=4),
            ended_at=NOON,
            updated_at=NOON,
            state=State.SUCCEEDED,
            end_reason=EndReason.COMPLETED,
            parameters={"api_key": SECRET, "epochs": 3},
            event_count=sequence,
        ),
        **fields,
    )
    event = JobEvent(
        job_id=job.id, sequence=sequence, type=EventType.JOB_FINISHED, at=NOON, state=job.state
    )
    return Notice(id=f"{event.id}:team", event=event, job=job, url="https://trainbell.example/j")


def with_type(notice: Notice, type_: EventType) -> Notice:
    return replace(notice, event=replace(notice.event, type=type_))


def the_largest() -> Notice:
    """Far more than any receiver takes: it has to be cut, and what matters kept."""
    curve = tuple({"epoch": float(n), "loss": 1 / (n + 1)} for n in range(20_000))
    tags = {f"tag-{n}": {"accuracy": 0.5} for n in range(5000)}
    metrics = {"accuracy": 0.9, **{f"{n}{'m' * 300}": 0.5 for n in range(100)}}
    return a_notice(
        state=State.FAILED,
        end_reason=EndReason.SERVICE_FAILED,
        message="ü" * 100_000,
        parameters={"text": "x" * 200_000},
        performance=Performance(metrics=metrics, curve=curve, per_tag=tags),
    )


def the_oddest() -> Notice:
    """With markup, mentions, control characters and emoji wherever a caller may put text."""
    return a_notice(
        name=ODD,
        message=ODD,
        tags={"odd": ODD},
        state=State.FAILED,
        end_reason=EndReason.SERVICE_FAILED,
    )
