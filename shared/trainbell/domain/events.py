"""One recorded change of a job, kept in order: the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from trainbell.domain.job import State


class EventType(StrEnum):
    """What happened, in the past tense. The names go out on the bus and are a wire contract."""

    JOB_REQUESTED = "JobRequested"
    JOB_HELD_BACK = "JobHeldBack"
    START_ATTEMPTED = "StartAttempted"
    START_POSTPONED = "StartPostponed"
    START_UNCLEAR = "StartUnclear"
    START_NOT_FOUND = "StartNotFound"
    START_NEEDS_ANSWER = "StartNeedsAnswer"
    START_ANSWERED = "StartAnswered"
    JOB_STARTED = "JobStarted"
    JOB_STATE_CHANGED = "JobStateChanged"
    UNKNOWN_STATUS_SEEN = "UnknownStatusSeen"
    POLL_FAILED = "PollFailed"
    POLL_RECOVERED = "PollRecovered"
    CANCEL_REQUESTED = "CancelRequested"
    CANCEL_SENT = "CancelSent"
    DEADLINE_PASSED = "DeadlinePassed"
    DEADLINE_TAKEN_BACK = "DeadlineTakenBack"
    """It had passed by a clock that was ahead; nothing was cancelled for it."""
    WATCHER_REPLACED = "WatcherReplaced"
    JOB_MOVED_AWAY = "JobMovedAway"
    JOB_ARRIVED = "JobArrived"
    JOB_FINISHED = "JobFinished"
    JOB_FOUND_AGAIN = "JobFoundAgain"
    DELIVERY_GIVEN_UP = "DeliveryGivenUp"
    DOUBLED_TRAINING = "DoubledTraining"
    ORPHAN_FOUND = "OrphanFound"
    CHANNEL_TESTED = "ChannelTested"
    """A test message, to one channel alone. Nothing has happened to any job."""


# What is told to the world through the outbox; the rest is for the job's own page.
ANNOUNCED = frozenset(
    {
        EventType.JOB_STARTED,
        EventType.JOB_STATE_CHANGED,
        EventType.UNKNOWN_STATUS_SEEN,
        EventType.JOB_FINISHED,
        EventType.JOB_FOUND_AGAIN,
        EventType.DELIVERY_GIVEN_UP,
        EventType.START_NEEDS_ANSWER,
        EventType.DOUBLED_TRAINING,
        EventType.ORPHAN_FOUND,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """`sequence` counts from 1 within the job without gaps; `id` is stable across repeats."""

    job_id: str
    sequence: int
    type: EventType
    at: datetime
    state: State
    previous_state: State | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.job_id}-{self.sequence:06d}"

    @property
    def is_announced(self) -> bool:
        return self.type in ANNOUNCED
