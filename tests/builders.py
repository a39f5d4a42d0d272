"""Ready-made objects for tests, each with sensible values that a test may override."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from trainbell.domain.job import Job, State
from trainbell.domain.observation import FailureKind, Observation, PollFailure
from trainbell.domain.settings import Connection

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class FakeClock:
    """A clock that moves only when told to."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> datetime:
        self._now += timedelta(seconds=seconds)
        return self._now


def a_job(**fields: Any) -> Job:
    """A job that was just requested."""
    given: dict[str, Any] = {
        "id": "01jobaaaaaaaaaaaaaaaaaaaaa",
        "provider": "deepva",
        "connection": "deepva",
        "kind": "train",
        "created_at": NOON,
        "updated_at": NOON,
        "next_poll_at": NOON,
    }
    return Job(**{**given, **fields})


def a_running_job(**fields: Any) -> Job:
    """A job that its service runs since noon."""
    given: dict[str, Any] = {
        "state": State.RUNNING,
        "handle": {"id": "training-1"},
        "start_sent_at": NOON,
        "start_attempts": 1,
        "started_at": NOON,
    }
    return a_job(**{**given, **fields})


def seen(state: State | None = State.RUNNING, *, at: datetime = NOON, **fields: Any) -> Observation:
    """An observation whose service uses our own words."""
    status = fields.pop("vendor_status", state.value if state else "no such word")
    return Observation(seen_at=at, vendor_status=status, state=state, **fields)


def failed_poll(
    kind: FailureKind = FailureKind.UNAVAILABLE, *, at: datetime = NOON, **fields: Any
) -> PollFailure:
    given: dict[str, Any] = {"error_type": "ProviderUnavailable", "message": "connection refused"}
    return PollFailure(seen_at=at, kind=kind, **{**given, **fields})


def a_connection(**fields: Any) -> Connection:
    given: dict[str, Any] = {"name": "deepva", "provider": "deepva", "secret": "env:DEEPVA_KEY"}
    return Connection(**{**given, **fields})
