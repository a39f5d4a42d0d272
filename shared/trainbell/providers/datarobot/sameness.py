"""Whether something at the service is what a lost start made. Its calls take no name, no token and
no marker, so identity is what was asked for, and when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trainbell.errors import ProviderReplyInvalid
from trainbell.ports import Clock, StartOrder

TOLERANCE = timedelta(seconds=5)
"""A `Date` header has whole seconds, and an answer takes its time."""


@dataclass(frozen=True, slots=True)
class Sent:
    """When a start was sent by our clock, and how far the service's clock is ahead of ours."""

    at: datetime
    ahead: timedelta

    def made(self, made_at: datetime | None) -> bool:
        """Whether it may have been made by this start: not before it, by either clock. What tells
        no time may have been."""
        earliest = self.at - TOLERANCE
        return made_at is None or made_at >= earliest or made_at - self.ahead >= earliest


def sent(order: StartOrder, clock: Clock, service_time: datetime | None) -> Sent:
    """Raises ProviderReplyInvalid where the order does not say when it was sent: then a thing of
    yesterday could be taken for it."""
    at = order.sent_at or order.requested_at
    if at is None:
        raise ProviderReplyInvalid(
            "a start at DataRobot can only be looked up by the time when it was sent",
            provider="DataRobot",
            operation="look up a start",
        )
    ahead = service_time - clock.now() if service_time else timedelta()
    return Sent(at, ahead)


def fits(asked: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    """Whether nothing that the service shows contradicts what was asked for."""
    return all(shown.get(name) in (None, value) for name, value in asked.items())
