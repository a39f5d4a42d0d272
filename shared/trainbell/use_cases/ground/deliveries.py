"""Deliveries that wait: what they say of their channel, and bringing them forward."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trainbell.domain.outbox import OutboxEntry, brought_forward
from trainbell.use_cases.ground.services import Services

ASKED = 20
AT_MOST = 10_000


def what_is_refused(services: Services, channel: str) -> OutboxEntry | None:
    """The latest delivery that a channel's receiver refuses, which only a person can mend."""
    waiting = services.store.pending(channel, ASKED)
    refused = [entry for entry in waiting if entry.is_refused]
    return max(refused, key=lambda entry: entry.due_at, default=None)


def bring_channel_forward(services: Services, channel: str) -> int:
    """The channel was mended: what waits for it is due now. Returns how much."""
    return len(bring_forward(services, services.store.pending(channel, AT_MOST)))


def bring_forward(services: Services, entries: Iterable[OutboxEntry]) -> Sequence[OutboxEntry]:
    """Make deliveries due now; those that somebody is making at this moment are left to him."""
    now = services.clock.now()
    sooner = [brought_forward(entry, now) for entry in entries]
    return [entry for entry in sooner if services.store.settle_outbox(entry)]
