"""Models and evaluations that progress with time. The service calls both of them runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from trainbell.simulators.settings import Seconds, Share

END_STATES = frozenset({"succeeded", "failed", "cancelled"})
Error = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a run goes: how long it waits, works and takes to stop, and its error if it fails.

    `error` is the service's error object, or its code alone; `fails_at` the share of the work after
    which it comes. `performance` replaces the usual one. `state` overrides the service's own word.
    """

    waiting_seconds: Seconds = 2.0
    working_seconds: Seconds = 20.0
    cancelling_seconds: Seconds = 2.0
    error: Error | str | None = None
    fails_at: Share = 1.0
    performance: Mapping[str, Any] | None = None
    state: str | None = None


@dataclass(slots=True, kw_only=True)
class Run:
    """A model, or an evaluation where `model_name` says of which.

    `given`: parameters as they came. `budget_seconds`: the compute time that it may spend.
    `performance`: what it measures once it has succeeded. `skew_seconds`: how wrong the service's
    clock was when it wrote the creation down.
    """

    name: str
    plan: Plan
    given: Mapping[str, Mapping[str, Any]]
    performance: Mapping[str, Any]
    created_at: datetime
    skew_seconds: float = 0.0
    budget_seconds: float = math.inf
    model_name: str | None = None
    cancelled_at: datetime | None = None

    @property
    def started_at(self) -> datetime:
        return self.created_at + timedelta(seconds=self.plan.waiting_seconds)

    @property
    def error(self) -> Error | None:
        """What it ends with if nobody cancels it."""
        if self._wanted_seconds > self.budget_seconds:
            return {
                "code": "notEnoughBudget",
                "message": "The training did not converge within its time budget.",
                "target": "timeBudgetInHours",
            }
        error = self.plan.error
        if isinstance(error, str):
            return {"code": error, "message": f"The run failed: {error}."}
        return error

    def state(self, now: datetime) -> str:
        return self.plan.state or self._step(now)[1]

    def has_ended(self, now: datetime) -> bool:
        return self.state(now) in END_STATES

    def cancel(self, now: datetime) -> None:
        self.cancelled_at = self.cancelled_at or now

    def end(self, now: datetime, error: Error | str | None = None) -> None:
        """Bring it to its end at once, wherever it is."""
        waiting = (now - self.created_at).total_seconds()
        self.plan = replace(
            self.plan, waiting_seconds=waiting, working_seconds=0, error=error, state=None
        )

    def shown(self, now: datetime) -> dict[str, Any]:
        """The run as the service tells it, with fields in the documented order."""
        since, state = self._step(now)
        state = self.plan.state or state
        shown: dict[str, Any] = {"name": self.name}
        if self.model_name is not None:
            shown["modelName"] = self.model_name
        shown |= {
            "createdDateTime": self._time(self.created_at),
            "updatedDateTime": self._time(since),
            "status": state,
            **self.given,
        }
        if self.model_name is None and state in END_STATES:
            spent = max(0.0, (since - self.started_at).total_seconds())
            shown["trainingCostInMinutes"] = math.ceil(spent / 60)
        if state == "succeeded":
            shown["modelPerformance"] = self.plan.performance or self.performance
        if state == "failed":
            shown["error"] = self.error or {"code": "unknown", "message": "Unknown error."}
        return shown

    @property
    def _wanted_seconds(self) -> float:
        return self.plan.working_seconds * (self.plan.fails_at if self.plan.error else 1.0)

    def _step(self, now: datetime) -> tuple[datetime, str]:
        """The state it is in, and since when."""
        work = timedelta(seconds=min(self._wanted_seconds, self.budget_seconds))
        steps = [
            (self.created_at, "notStarted"),
            (self.started_at, "training" if self.model_name is None else "running"),
            (self.started_at + work, "failed" if self.error else "succeeded"),
        ]
        if self.cancelled_at is not None:
            stopped_at = self.cancelled_at + timedelta(seconds=self.plan.cancelling_seconds)
            steps = [(self.cancelled_at, "cancelling"), (stopped_at, "cancelled")]
        return next(
            (step for step in reversed(steps) if step[0] <= now), (self.created_at, "notStarted")
        )

    def _time(self, at: datetime) -> str:
        at += timedelta(seconds=self.skew_seconds)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
