"""Work that takes its time: how it is to go, and where it is by now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Literal

from trainbell.simulators.settings import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the next work goes: how long it waits and runs, and its error if it fails.

    `ends` is the asynchronous status at its end (ERROR where there is an `error`). `trouble`: check
    of a test → what is wrong; the test's configuration decides what that means. `word` overrides
    the service's own word for the state.
    """

    queued_seconds: Seconds = 1.0
    running_seconds: Seconds = 20.0
    error: str = ""
    ends: Literal["COMPLETED", "ERROR", "ABORTED", "EXPIRED"] = "COMPLETED"
    trouble: Mapping[str, str] = field(default_factory=dict)
    word: str | None = None


@dataclass(slots=True, kw_only=True)
class Work:
    """One accepted request. `location` is the path of what it makes; `finish` makes it."""

    type: str | None
    description: str
    plan: Plan
    created_at: datetime
    location: str = ""
    finish: Callable[[], None] | None = None
    id: str = field(default_factory=lambda: token_hex(12))
    cancelled_at: datetime | None = None
    settled: bool = False

    @property
    def runs_from(self) -> datetime:
        return self.created_at + timedelta(seconds=self.plan.queued_seconds)

    @property
    def ends_at(self) -> datetime:
        return self.cancelled_at or self.runs_from + timedelta(seconds=self.plan.running_seconds)

    def is_active(self, now: datetime) -> bool:
        return now < self.ends_at

    def status(self, now: datetime) -> str:
        """The asynchronous status: one of the six documented words."""
        if self.cancelled_at is not None:
            return "ABORTED"
        if now < self.runs_from:
            return "INITIALIZED"
        if now < self.ends_at:
            return "RUNNING"
        return "ERROR" if self.plan.error else self.plan.ends

    def progress(self, now: datetime) -> float:
        """0.0 to 1.0, of the running part."""
        total = self.plan.running_seconds
        if total <= 0:
            return float(now >= self.ends_at)
        ran = (min(now, self.ends_at) - self.runs_from).total_seconds()
        return min(1.0, max(0.0, ran / total))

    def cancel(self, now: datetime) -> None:
        self.cancelled_at = now

    def end_now(self, now: datetime) -> None:
        self.created_at = now
        self.plan = replace(self.plan, queued_seconds=0.0, running_seconds=0.0)
