"""Ready-made objects for tests, each with sensible values that a test may override."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.open_secrets import OpenSecrets
from trainbell.domain.access import Caller, CallerKind
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import CancelWish, Job, LastSeen, Origin, StartAttempts, State, Watch
from trainbell.domain.observation import Observation
from trainbell.domain.order import Order
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


class OneSecret(OpenSecrets):
    """A secret source with this secret behind every reference; a test may change it."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def read(self, reference: str) -> str:
        return self.secret


def a_caller(name: str = "ada") -> Caller:
    """The owner of a machine, by whatever name."""
    return Caller(CallerKind.OWNER, name)


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
    return _job(**{**given, **fields})


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


def changed(job: Job, **flat: Any) -> Job:
    """The job with other values; each field is given by its own name, whatever its group."""
    groups = _grouped(flat)
    for name in _GROUPS:
        if name in groups:
            groups[name] = replace(getattr(job, name), **groups[name])
    return replace(job, **groups)


_GROUPS: Mapping[str, type[Any]] = {
    "order": Order,
    "origin": Origin,
    "start": StartAttempts,
    "cancel": CancelWish,
    "seen": LastSeen,
    "watch": Watch,
}
# Where a field's own name says too little without its group.
_PREFIXED = {"start_sent_at", "start_lease_until", "start_attempts", "cancel_requested_at"}
_PREFIXED |= {"cancel_requested_by", "cancel_cause", "cancel_sent_at"}
_WHERE: dict[str, tuple[str | None, str]] = {
    **{each.name: (group, each.name) for group, kind in _GROUPS.items() for each in fields(kind)},
    **{name: (name.split("_", 1)[0], name.split("_", 1)[1]) for name in _PREFIXED},
    **{each.name: (None, each.name) for each in fields(Job)},
    "last_seen_at": ("seen", "at"),
    "requested_by": ("origin", "requested_by"),
    "watch": ("watch", "number"),
}


def _grouped(flat: Mapping[str, Any]) -> dict[str, Any]:
    grouped: dict[str, Any] = {}
    for name, value in flat.items():
        group, field = _WHERE[name]
        if group is None:
            grouped[field] = value
        else:
            grouped.setdefault(group, {})[field] = value
    return grouped


def _job(**flat: Any) -> Job:
    grouped = _grouped(flat)
    return Job(**{n: _GROUPS[n](**v) if n in _GROUPS else v for n, v in grouped.items()})


def seen(state: State | None = State.RUNNING, *, at: datetime = NOON, **fields: Any) -> Observation:
    """An observation whose service uses our own words."""
    status = fields.pop("vendor_status", state.value if state else "no such word")
    return Observation(seen_at=at, vendor_status=status, state=state, **fields)


def failed_poll(
    kind: FailureKind = FailureKind.UNAVAILABLE, *, at: datetime = NOON, **fields: Any
) -> Failure:
    given: dict[str, Any] = {"type": "ProviderUnavailable", "message": "connection refused"}
    return Failure(at=at, kind=kind, **{**given, **fields})


def a_connection(**fields: Any) -> Connection:
    given: dict[str, Any] = {"name": "deepva", "provider": "deepva", "secret": "env:DEEPVA_KEY"}
    return Connection(**{**given, **fields})
