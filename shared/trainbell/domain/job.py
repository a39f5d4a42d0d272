"""A job: one long operation at a training service, watched from request to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from trainbell.domain.failure import Failure
from trainbell.domain.order import Order


class State(StrEnum):
    """Where a job is. The last five are ends, and an end is final."""

    REQUESTED = "requested"
    WAITING = "waiting"
    STARTING = "starting"
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    LOST = "lost"

    @property
    def is_end(self) -> bool:
        return self in END_STATES


END_STATES = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.EXPIRED, State.LOST})
ACTIVE_STATES = frozenset(set(State) - END_STATES)


class EndReason(StrEnum):
    """Why a job ended. Each reason belongs to exactly one end state (`END_STATE_OF`)."""

    COMPLETED = "completed"
    SERVICE_FAILED = "service_failed"
    START_REJECTED = "start_rejected"
    ALREADY_WATCHED = "already_watched"
    EXIT_CODE = "exit_code"
    SIGNAL = "signal"
    CANCELLED_BEFORE_START = "cancelled_before_start"
    CANCEL_CONFIRMED = "cancel_confirmed"
    CANCELLED_AT_SERVICE = "cancelled_at_service"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    DEADLINE_EXCEEDED_STILL_RUNNING = "deadline_exceeded_still_running"
    UNKNOWN_TO_SERVICE = "unknown_to_service"


END_STATE_OF: Mapping[EndReason, State] = {
    EndReason.COMPLETED: State.SUCCEEDED,
    EndReason.SERVICE_FAILED: State.FAILED,
    EndReason.START_REJECTED: State.FAILED,
    EndReason.ALREADY_WATCHED: State.FAILED,
    EndReason.EXIT_CODE: State.FAILED,
    EndReason.SIGNAL: State.FAILED,
    EndReason.CANCELLED_BEFORE_START: State.CANCELLED,
    EndReason.CANCEL_CONFIRMED: State.CANCELLED,
    EndReason.CANCELLED_AT_SERVICE: State.CANCELLED,
    EndReason.DEADLINE_EXCEEDED: State.EXPIRED,
    EndReason.DEADLINE_EXCEEDED_STILL_RUNNING: State.EXPIRED,
    EndReason.UNKNOWN_TO_SERVICE: State.LOST,
}


class CancelCause(StrEnum):
    """Who wanted the cancel: a person, or the job's own deadline."""

    REQUESTED = "requested"
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """What a training is worth, as far as its service says. All parts may be empty.

    `metrics`: name → number. `per_tag`: tag (class, label) → metric → number.
    `curve`: points of the learning curve, in order. `cost`: name with unit → number.
    `artifacts`: name → URI.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    per_tag: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    curve: tuple[Mapping[str, float], ...] = ()
    cost: Mapping[str, float] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.metrics or self.per_tag or self.curve or self.cost or self.artifacts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a job comes from: a caller, a schedule, an earlier job that it repeats, or one that
    was taken for lost and found again."""

    requested_by: str = ""
    schedule: str | None = None
    retry_of: str | None = None
    found_again_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAttempts:
    """What is known of sending it.

    `sent_at`: when the intent was stored, while an attempt is in flight or unclear, and after the
    service took it. `sent_by`: until when the request may have left here at the latest.
    `lease_until`: while its sender may still be at it. `clean_look_ups`: how many look-ups found
    nothing after the service had settled. `asked_at`: since when a person is asked what to do.
    `sent_to`: where the connection led when it was sent (`Connection.leads_to`).
    """

    sent_at: datetime | None = None
    sent_by: datetime | None = None
    lease_until: datetime | None = None
    attempts: int = 0
    clean_look_ups: int = 0
    asked_at: datetime | None = None
    sent_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelWish:
    """Who wanted the cancel, since when, when the service took the call, and when it was last
    tried and not taken."""

    requested_at: datetime | None = None
    requested_by: str | None = None
    cause: CancelCause | None = None
    sent_at: datetime | None = None
    tried_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSeen:
    """What the service said last, part by part. `at` orders observations (`Observation.seen_at`).

    `progress_trail`: the last moments at which progress grew, for the forecast. `cut`: of which
    parts the service has said more than is kept (`size_bounds`). `in_full`: which of these are kept
    beside the job (`in_full`).
    """

    at: datetime | None = None
    moved_at: datetime | None = None
    vendor_status: str | None = None
    unknown_statuses: tuple[str, ...] = ()
    stage: str | None = None
    progress: float | None = None
    progress_trail: tuple[tuple[datetime, float], ...] = ()
    queue_position: int | None = None
    message: str | None = None
    performance: Performance = field(default_factory=Performance)
    exit_code: int | None = None
    signal: str | None = None
    cut: tuple[str, ...] = ()
    in_full: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How the job is watched. `number` counts watchers, so that a superseded one notices.

    `troubles` counts how often looking at it began to fail, or failed in other words than before.
    `reserved_call_at`: its place in the connection's rate budget, taken and not yet used.
    `moved_at`: since when another installation watches it; nothing here changes it then.
    `is_copy`: it never was watched here, and is not this installation's to give away.
    """

    number: int = 0
    next_poll_at: datetime | None = None
    last_polled_at: datetime | None = None
    polls: int = 0
    failed_polls_in_a_row: int = 0
    troubles: int = 0
    missing_since: datetime | None = None
    missing_in_a_row: int = 0
    reserved_call_at: datetime | None = None
    moved_at: datetime | None = None
    is_copy: bool = False
    last_error: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """All that is known of one job. Immutable: `lifecycle` makes the next one.

    `order` and `origin` never change. `revision` counts stored writes, `event_count` events.
    `holds` are the exclusive keys that it has. Times are aware, in UTC.
    """

    id: str
    order: Order
    created_at: datetime
    origin: Origin = field(default_factory=Origin)

    state: State = State.REQUESTED
    end_reason: EndReason | None = None
    handle: Mapping[str, Any] | None = None
    holds: tuple[str, ...] = ()
    may_still_cost: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    updated_at: datetime | None = None
    revision: int = 0
    event_count: int = 0

    start: StartAttempts = field(default_factory=StartAttempts)
    cancel: CancelWish = field(default_factory=CancelWish)
    seen: LastSeen = field(default_factory=LastSeen)
    watch: Watch = field(default_factory=Watch)

    @property
    def is_ended(self) -> bool:
        return self.state in END_STATES

    @property
    def due_at(self) -> datetime | None:
        """When somebody is to look at it next. A lost job is looked for after its end, too."""
        if self.is_ended and self.state is not State.LOST:
            return None
        return self.watch.next_poll_at

    @property
    def has_moved(self) -> bool:
        """Another installation watches it."""
        return self.watch.moved_at is not None

    @property
    def start_is_unclear(self) -> bool:
        """A start was sent, and neither a handle nor a refusal has been recorded."""
        return self.state is State.STARTING and self.handle is None

    def duration(self, now: datetime) -> timedelta:
        """How long it ran (or runs): from its start, or from its request where that is unknown."""
        return (self.ended_at or now) - (self.started_at or self.created_at)
