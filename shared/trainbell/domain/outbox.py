"""What has still to be told, and what became of it.

An entry is stored in the same transaction as the event it tells (told at least once). An entry
without a channel is *unrouted*: the publisher turns it into one entry per matching channel.
Those entries are the deliveries: they stay as a record after they are done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from trainbell.domain.events import JobEvent

RETRY_FIRST_SECONDS = 5.0
RETRY_LAST_SECONDS = 3600.0
GIVE_UP_AFTER = timedelta(days=3)


class DeliveryState(StrEnum):
    """`pending` is due again at `due_at`; the other two are final."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """One event to tell; to one channel, once it is routed.

    `id` is stable (event id, and channel where routed): receivers can drop a repeat by it.
    `claim` is a number that a claimer gets; settling with an outdated claim is refused.
    `is_kept`: its channel's settings could not be read when it was routed, so that nobody knows
    whether it is asked for there. `is_refused`: the receiver refuses it, so that a person must
    mend the channel.
    """

    id: str
    event: JobEvent
    project: str
    due_at: datetime
    created_at: datetime
    channel: str | None = None
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    claim: int = 0
    last_error: str | None = None
    is_refused: bool = False
    is_kept: bool = False
    tried_at: datetime | None = None
    done_at: datetime | None = None


def unrouted(event: JobEvent, project: str) -> OutboxEntry:
    return OutboxEntry(
        id=event.id, event=event, project=project, due_at=event.at, created_at=event.at
    )


def routed(entry: OutboxEntry, channel: str, now: datetime) -> OutboxEntry:
    """The delivery of an unrouted entry's event to one channel."""
    return replace(entry, id=f"{entry.event.id}:{channel}", channel=channel, due_at=now, claim=0)


def delivered(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    return replace(
        entry,
        state=DeliveryState.DELIVERED,
        attempts=entry.attempts + 1,
        last_error=None,
        is_refused=False,
        done_at=now,
    )


def not_wanted(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    """It was kept for a channel whose settings could not be read; read, they do not ask for it."""
    return replace(entry, state=DeliveryState.DELIVERED, last_error="not asked for", done_at=now)


def given_up(entry: OutboxEntry, error: str, now: datetime) -> OutboxEntry:
    """Not tried again, unless somebody asks for it: kept and shown."""
    return replace(
        entry,
        state=DeliveryState.GIVEN_UP,
        attempts=entry.attempts + 1,
        last_error=error,
        done_at=now,
    )


def to_retry(
    entry: OutboxEntry,
    error: str,
    now: datetime,
    retry_after_seconds: float | None = None,
    *,
    is_refused: bool = False,
) -> OutboxEntry:
    """The receiver is down or refuses: due again after a doubling wait, for three days. Whoever
    mends a channel mends it within days, not within a message's first attempt."""
    if now - entry.created_at >= GIVE_UP_AFTER:
        return given_up(entry, error, now)
    wait = min(RETRY_LAST_SECONDS, RETRY_FIRST_SECONDS * 2.0 ** min(entry.attempts, 16))
    wait = max(wait, min(retry_after_seconds or 0.0, RETRY_LAST_SECONDS))
    return replace(
        entry,
        attempts=entry.attempts + 1,
        last_error=error,
        is_refused=is_refused,
        tried_at=now,
        due_at=now + timedelta(seconds=wait),
    )


def brought_forward(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    """Its channel was mended: due now, and its waits begin anew."""
    return replace(entry, due_at=now, attempts=0)


def redelivered(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    """Told once more, with the same id, for another three days if need be."""
    return replace(
        entry,
        state=DeliveryState.PENDING,
        created_at=now,
        due_at=now,
        attempts=0,
        is_refused=False,
        done_at=None,
    )
