"""What one poll saw of a job."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trainbell.domain.job import EndReason, Performance, State

OBSERVABLE_STATES = frozenset(
    {
        State.QUEUED,
        State.RUNNING,
        State.CANCELLING,
        State.SUCCEEDED,
        State.FAILED,
        State.CANCELLED,
        State.EXPIRED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What the service said of one job.

    `vendor_status` is the service's own word and is always kept. `state` is ours, from the
    provider's explicit table; None says that the word is not in the table, which is never an end.
    `vendor_code` and `error_details`: the service's own error of a job that failed, kept whole.
    `progress` is 0.0 to 1.0. `seen_at` is when the answer was asked for, and orders observations.
    """

    seen_at: datetime
    vendor_status: str
    state: State | None
    end_reason: EndReason | None = None
    stage: str | None = None
    progress: float | None = None
    queue_position: int | None = None
    message: str | None = None
    vendor_code: str | None = None
    error_details: Any = None
    performance: Performance = field(default_factory=Performance)
    exit_code: int | None = None
    signal: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    retry_after_seconds: float | None = None

    def __post_init__(self) -> None:
        if self.state is not None and self.state not in OBSERVABLE_STATES:
            raise ValueError(f"a service cannot be seen in state {self.state}")
