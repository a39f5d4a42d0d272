"""Notices to send: an ordinary one, one with a secret in it, the largest, and the oddest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.job import EndReason, Job, LastSeen, Performance, State
from trainbell.domain.order import Order
from trainbell.ports import Notice

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECRET = "hunter2-in-a-parameter"  # noqa: S105 - the suite looks for it, and must not find it
ODD = "<!channel> \u202e*Größe* \x00\x07\n@everyone `x` [a](http://b) \U0001f514"


def a_notice(sequence: int = 7, **given: Any) -> Notice:
    """Of a training that has succeeded; `given` are fields of the job, its order, or what was seen
    of it. `sequence` is the event's number, and so what its stable id is made of."""
    asked, shown, own = (_of(kind, given) for kind in (Order, LastSeen, Job))
    order = Order(
        provider="deepva",
        connection="main",
        kind="train",
        name="nightly faces",
        parameters={"api_key": SECRET, "epochs": 3},
    )
    job = Job(
        id="01conformance0000000000001",
        order=replace(order, **asked),
        created_at=NOON - timedelta(minutes=5),
        started_at=NOON - timedelta(minutes=4),
        ended_at=NOON,
        updated_at=NOON,
        state=State.SUCCEEDED,
        end_reason=EndReason.COMPLETED,
        event_count=sequence,
        seen=LastSeen(**shown),
    )
    job = replace(job, **own)
    event = JobEvent(
        job_id=job.id, sequence=sequence, type=EventType.JOB_FINISHED, at=NOON, state=job.state
    )
    return Notice(id=f"{event.id}:team", event=event, job=job, url="https://trainbell.example/j")


def _of(kind: type[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in given.items() if name in names}


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
