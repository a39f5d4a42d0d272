"""What the simulated Einstein holds: datasets, models, and their trainings that go with time."""

from __future__ import annotations

import base64
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.einstein.learning import train_stats
from trainbell.simulators.settings import Seconds, Share

IMAGE_DATASET = 57
DETECTION_DATASET = 58
MULTI_LABEL_DATASET = 59
INTENT_DATASET = 1010060
SENTIMENT_DATASET = 1010061
GLOBAL_DATASET = 1000
DELETION_SECONDS = 5.0
DEFAULT_EPOCHS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a training goes: how long it is queued and runs, and its message if it fails.

    `fails_at`: the progress at which it fails. `stops_at_epoch`: where it stops early, well.
    `status` overrides the service's own word.
    """

    queued_seconds: Seconds = 2.0
    running_seconds: Seconds = 20.0
    failure: str = ""
    fails_at: Share = 1.0
    stops_at_epoch: Annotated[int, Field(ge=1)] | None = None
    status: str | None = None


@dataclass(slots=True, kw_only=True)
class Dataset:
    """`last_trained`: the model whose training was the last, and the only one that may be active.
    `gone_at`: until then a deleted one is pending."""

    id: int
    name: str
    type: str
    labels: tuple[str, ...]
    created_at: datetime
    examples: int = 150
    is_global: bool = False
    gone_at: datetime | None = None
    last_trained: str | None = None

    @property
    def service(self) -> str:
        return "language" if self.type.startswith("text") else "vision"

    def state(self, now: datetime) -> str:
        """SUCCEEDED, DELETE_PENDING or DELETED."""
        if self.gone_at is None:
            return "SUCCEEDED"
        return "DELETE_PENDING" if now < self.gone_at else "DELETED"


@dataclass(slots=True, kw_only=True)
class Run:
    """One training of a model. `number` counts all starts of the account, for the queue."""

    plan: Plan
    number: int = 0
    sent_at: datetime
    epochs: int = DEFAULT_EPOCHS
    learning_rate: float = 0.0001
    algorithm: str | None = None
    train_params: dict[str, Any] | None = None

    @property
    def begun_at(self) -> datetime:
        return self.sent_at + timedelta(seconds=self.plan.queued_seconds)

    @property
    def ended_at(self) -> datetime:
        return self.begun_at + timedelta(seconds=self.plan.running_seconds * self._share)

    @property
    def _share(self) -> float:
        if self.plan.failure:
            return self.plan.fails_at
        return min(1.0, (self.plan.stops_at_epoch or self.epochs) / self.epochs)

    def status(self, now: datetime) -> str:
        if self.plan.status is not None:
            return self.plan.status
        if now < self.begun_at:
            return "QUEUED"
        if now < self.ended_at:
            return "RUNNING"
        return "FAILED" if self.plan.failure else "SUCCEEDED"

    def is_active(self, now: datetime) -> bool:
        return self.status(now) in ("QUEUED", "RUNNING")

    def epochs_done(self, now: datetime) -> int:
        if now >= self.ended_at:
            return round(self.epochs * self._share)
        ran = max(0.0, (now - self.begun_at).total_seconds())
        return int(self.epochs * ran / self.plan.running_seconds)

    def updated_at(self, now: datetime) -> datetime:
        """When it last made a step: was sent, began, finished an epoch, ended."""
        if now < self.begun_at:
            return self.sent_at
        if now >= self.ended_at:
            return self.ended_at
        share = self.epochs_done(now) / self.epochs
        return self.begun_at + timedelta(seconds=self.plan.running_seconds * share)


@dataclass(slots=True, kw_only=True)
class Model:
    """`runs`: its trainings, the latest last. Until `stale_until` the one before it is shown."""

    id: str
    name: str
    dataset: Dataset
    created_at: datetime
    runs: list[Run]
    stale_until: datetime | None = None

    @property
    def latest(self) -> Run:
        return self.runs[-1]

    def shown_run(self, now: datetime) -> Run:
        stale = self.stale_until is not None and now < self.stale_until and len(self.runs) > 1
        return self.runs[-2] if stale else self.runs[-1]


@dataclass(slots=True)
class Account:
    """One customer's world. `plans` are used up by the next starts; then `plan` goes for all.

    `stale_seconds`: for how long reads show the former training after a retraining.
    `as_text`: `trainParams` and `trainStats` come as strings, as the OpenAPI document has it.
    """

    clock: SimulatorClock
    plan: Plan = field(default_factory=Plan)
    plans: deque[Plan] = field(default_factory=deque)
    stale_seconds: float = 0.0
    started: int = 0
    as_text: bool = False
    datasets: dict[int, Dataset] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    deletions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add_dataset(self, identity: int, name: str, kind: str, *labels: str) -> Dataset:
        dataset = Dataset(
            id=identity, name=name, type=kind, labels=labels, created_at=self.clock.now()
        )
        self.datasets[identity] = dataset
        return dataset

    def add_model(self, dataset_id: int, name: str, *, days_old: float = 1.0) -> Model:
        """One that was trained well some days ago."""
        sent_at = self.clock.now() - timedelta(days=days_old)
        return self._new_model(
            self.datasets[dataset_id], name, Run(plan=Plan(), sent_at=sent_at), sent_at
        )

    def train(self, dataset: Dataset, name: str, asked: Mapping[str, Any]) -> Model:
        now = self.clock.now()
        return self._new_model(dataset, name, self._new_run(now, asked), now)

    def retrain(self, model: Model, asked: Mapping[str, Any]) -> None:
        now = self.clock.now()
        model.runs = [model.latest, self._new_run(now, asked)]
        model.dataset.last_trained = model.id
        model.stale_until = now + timedelta(seconds=self.stale_seconds)

    def busy_model(self, dataset: Dataset) -> Model | None:
        """The one that is being trained on this dataset now."""
        model = self.models.get(dataset.last_trained or "")
        return model if model and model.latest.is_active(self.clock.now()) else None

    def queue_position(self, model: Model) -> int:
        """Place in the line of all that are queued now, from 1."""
        now = self.clock.now()
        last = (self.models.get(d.last_trained or "") for d in self.datasets.values())
        queued = [m.latest for m in last if m and m.latest.status(now) == "QUEUED"]
        return 1 + sum(run.number < model.latest.number for run in queued)

    def delete_model(self, model: Model) -> dict[str, Any]:
        del self.models[model.id]
        return self._deletion("MODEL", model.id)

    def delete_dataset(self, dataset: Dataset) -> dict[str, Any]:
        dataset.gone_at = self.clock.now() + timedelta(seconds=DELETION_SECONDS)
        return self._deletion("DATASET", str(dataset.id))

    def end_now(self, model_id: str, failure: str = "") -> None:
        """Bring a model's latest training to its end at once, wherever it is."""
        run = self.models[model_id].latest
        begun = self.clock.now() - timedelta(milliseconds=1)
        run.sent_at = max(run.sent_at, begun)
        run.plan = Plan(queued_seconds=0, running_seconds=0, failure=failure)

    def say(self, model_id: str, status: str | None) -> None:
        """Make a training's status read so, whatever it is."""
        run = self.models[model_id].latest
        run.plan = replace(run.plan, status=status)

    def stats(self, model: Model, run: Run) -> dict[str, Any]:
        dataset = model.dataset
        ratio = (run.train_params or {}).get("trainSplitRatio")
        split = float(ratio) if ratio else (0.8 if dataset.service == "language" else 0.9)
        seconds = (run.ended_at - run.begun_at).total_seconds()
        return train_stats(
            labels=len(dataset.labels),
            examples=dataset.examples,
            split=split,
            seconds=seconds,
            epochs=run.epochs_done(run.ended_at),
            asked=run.epochs,
        )

    def _new_run(self, now: datetime, asked: Mapping[str, Any]) -> Run:
        plan = self.plans.popleft() if self.plans else self.plan
        self.started += 1
        return Run(plan=plan, number=self.started, sent_at=now, **asked)

    def _new_model(self, dataset: Dataset, name: str, run: Run, at: datetime) -> Model:
        model = Model(id=_identity(), name=name, dataset=dataset, created_at=at, runs=[run])
        self.models[model.id] = model
        dataset.last_trained = model.id
        return model

    def _deletion(self, kind: str, identity: str) -> dict[str, Any]:
        deletion_id = _identity()
        deletion: dict[str, Any] = {
            "id": deletion_id,
            "type": kind,
            "deletedObjectId": identity,
            "done_at": self.clock.now() + timedelta(seconds=DELETION_SECONDS),
        }
        self.deletions[deletion_id] = deletion
        return deletion


def _identity() -> str:
    """26 letters and digits, as `3XVRF4KPA4522DWDRDCQ4D4BEQ`."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")
