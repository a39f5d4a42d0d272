"""One customer's world: models, tests, statuses, and the time that makes them go on."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.datarobot.records import OWNER, Dataset, File, Model, Test, Version
from trainbell.simulators.datarobot.work import Plan, Work

DATASET = "5f5f5f5f5f5f5f5f5f5f5f01"
LIVE_DATASET = "5f5f5f5f5f5f5f5f5f5f5f02"
DELETED_DATASET = "5f5f5f5f5f5f5f5f5f5f5f03"
MODEL = "6a6a6a6a6a6a6a6a6a6a6a01"
VERSION = "6b6b6b6b6b6b6b6b6b6b6b01"
MAIN_FILE = "6c6c6c6c6c6c6c6c6c6c6c01"
ENVIRONMENT = "6d6d6d6d6d6d6d6d6d6d6d01"
REPOSITORY = "6e6e6e6e6e6e6e6e6e6e6e01"
USERS = (OWNER, "ann@example.com", "bob@example.com")


@dataclass(slots=True)
class World:
    """`plans` are used up by the next work; then `plan` goes for all."""

    clock: SimulatorClock
    plan: Plan = field(default_factory=Plan)
    plans: deque[Plan] = field(default_factory=deque)
    models: dict[str, Model] = field(default_factory=dict)
    tests: dict[str, Test] = field(default_factory=dict)
    statuses: dict[str, Work] = field(default_factory=dict)
    datasets: dict[str, Dataset] = field(default_factory=dict)
    users: tuple[str, ...] = USERS
    starts: Counter[str] = field(default_factory=Counter)
    _ends: list[tuple[datetime, int, Work]] = field(default_factory=list)
    _number: count[int] = field(default_factory=count)

    @classmethod
    def seeded(cls, clock: SimulatorClock) -> World:
        """With a model, a version, datasets and users."""
        world = cls(clock)
        world.datasets = {
            DATASET: Dataset(name="churn.csv"),
            LIVE_DATASET: Dataset(name="live view", is_snapshot=False),
            DELETED_DATASET: Dataset(name="gone.csv", is_deleted=True),
        }
        world.add_model(MODEL, VERSION, name="Churn")
        return world

    def add_model(
        self, model_id: str, version_id: str, *, name: str = "Model", trained: bool = True
    ) -> Version:
        """An inference model with one version of one file; `trained`: with training data."""
        now = self.clock.now()
        given = {
            "name": name,
            "customModelType": "inference",
            "targetType": "Binary",
            "targetName": "churned",
            "language": "python",
        }
        model = Model(id=model_id, created_at=now, updated_at=now, given=given)
        if trained:
            model.training_data = {"datasetId": DATASET, "datasetName": "churn.csv"}
        main = File(id=MAIN_FILE, path="main.py", content=b"print('hello')\n", created_at=now)
        version = Version(
            id=version_id, model_id=model_id, major=1, minor=0, created_at=now, files={"": main}
        )
        version.files = {main.path: main}
        version.given = {"baseEnvironmentId": ENVIRONMENT}
        model.versions.append(version)
        self.models[model_id] = model
        return version

    def begin(
        self,
        type: str | None,
        description: str,
        *,
        location: str = "",
        finish: Callable[[], None] | None = None,
    ) -> Work:
        """Accept work. `finish` runs once it has ended well."""
        work = Work(
            type=type,
            description=description,
            plan=self.plans.popleft() if self.plans else self.plan,
            created_at=self.clock.now(),
            location=location,
            finish=finish,
        )
        self.statuses[work.id] = work
        self._expect(work)
        return work

    def end_now(self, work: Work) -> None:
        """Bring work to its planned end at once."""
        work.end_now(self.clock.now())
        self._expect(work)

    def settle(self) -> datetime:
        """Make what has ended well by now, in that order. Returns now."""
        now = self.clock.now()
        while self._ends and self._ends[0][0] <= now:
            _, _, work = heapq.heappop(self._ends)
            if not work.settled and work.status(now) == "COMPLETED":
                work.settled = True
                if work.finish is not None:
                    work.finish()
        return now

    def version(self, model_id: str, version_id: str) -> Version | None:
        model = self.models.get(model_id)
        found = (v for v in model.versions if v.id == version_id) if model else iter(())
        return next(found, None)

    def time(self, at: datetime) -> str:
        return self.clock.shown(at).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def time_or_none(self, at: datetime | None) -> str | None:
        return None if at is None else self.time(at)

    def _expect(self, work: Work) -> None:
        heapq.heappush(self._ends, (work.ends_at, next(self._number), work))


def next_number(model: Model, is_major: bool) -> tuple[int, int]:
    """The version number after the latest one: 1.0, then 1.1 …, or 2.0 …"""
    if not model.versions:
        return 1, 0
    latest = model.versions[-1]
    return (latest.major + 1, 0) if is_major else (latest.major, latest.minor + 1)


def assignment(work: Work | None, now: datetime) -> dict[str, Any]:
    """The flags of training data that is, or was, being assigned."""
    if work is None:
        return {"assignmentInProgress": False}
    if work.is_active(now):
        return {"assignmentInProgress": True}
    error = work.plan.error
    failed = {"assignmentError": {"message": error}} if error else {}
    return {"assignmentInProgress": False, **failed}
