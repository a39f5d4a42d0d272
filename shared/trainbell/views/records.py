"""What is shown of a job's records: its events, its deliveries, its log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.job import State
from trainbell.domain.outbox import DeliveryState, OutboxEntry
from trainbell.views.view import View


class EventView(View):
    """One recorded change. `sequence` counts from 1 within the job, without gaps."""

    id: str
    sequence: int
    type: EventType
    at: datetime
    state: State
    previous_state: State | None
    data: Mapping[str, Any]


class EventList(View):
    """`unreadable` names what belongs on this page and cannot be read."""

    items: list[EventView]
    next_cursor: str | None
    unreadable: list[str]


class DeliveryView(View):
    """What became of telling one event to one channel. `due_at` is the next attempt.
    `is_refused`: the receiver refuses it; mend the channel, and it is tried at once."""

    id: str
    event_id: str
    event_type: EventType
    channel: str
    state: DeliveryState
    attempts: int
    last_error: str | None
    is_refused: bool
    created_at: datetime
    due_at: datetime | None
    done_at: datetime | None


class DeliveryList(View):
    items: list[DeliveryView]
    next_cursor: str | None


class LogView(View):
    """The tail of a log, oldest line first."""

    lines: list[str]


class InFullView(View):
    """What a service said at a job's end, and a stored job cannot hold. `parts` have the names of
    the job's `in_full`; `cut` names those that are not whole here either."""

    seen_at: datetime
    parts: dict[str, Any]
    cut: list[str]


def event_view(event: JobEvent) -> EventView:
    return EventView(
        id=event.id,
        sequence=event.sequence,
        type=event.type,
        at=event.at,
        state=event.state,
        previous_state=event.previous_state,
        data=dict(event.data),
    )


def delivery_view(entry: OutboxEntry) -> DeliveryView:
    return DeliveryView(
        id=entry.id,
        event_id=entry.event.id,
        event_type=entry.event.type,
        channel=entry.channel or "",
        state=entry.state,
        attempts=entry.attempts,
        last_error=entry.last_error,
        is_refused=entry.is_refused,
        created_at=entry.created_at,
        due_at=entry.due_at if entry.state is DeliveryState.PENDING else None,
        done_at=entry.done_at,
    )
