"""What the simulated DeepVA holds: datasets, trainings that progress with time, models."""

from __future__ import annotations

import heapq
import json
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.settings import Seconds, Share

FACE_DATASET = "b97e20c8-3e68-4831-8eaf-e7a592d3a802"
LANDMARK_DATASET = "0f1f5b6a-7a5e-4a43-9f0c-2f9d8f6f2c11"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a training goes: how long it waits and trains, and its error if it fails.

    `fails_at`: the progress at which it fails. `state` overrides the service's own word.
    """

    waiting_seconds: Seconds = 2.0
    processing_seconds: Seconds = 20.0
    error: str = ""
    fails_at: Share = 1.0
    state: str | None = None


@dataclass(slots=True, kw_only=True)
class Training:
    id: str
    plan: Plan
    given: dict[str, Any]
    dataset: str
    created_at: datetime
    output_model: dict[str, Any] | None = None
    settled: bool = False

    @property
    def started_at(self) -> datetime:
        return self.created_at + timedelta(seconds=self.plan.waiting_seconds)

    @property
    def ended_at(self) -> datetime:
        share = self.plan.fails_at if self.plan.error else 1.0
        return self.started_at + timedelta(seconds=self.plan.processing_seconds * share)

    def state(self, now: datetime) -> str:
        if self.plan.state is not None:
            return self.plan.state
        if now < self.started_at:
            return "waiting"
        if now < self.ended_at:
            return "processing"
        return "failed" if self.plan.error else "completed"

    def seconds(self, now: datetime) -> float:
        return max(0.0, (min(now, self.ended_at) - self.started_at).total_seconds())


@dataclass(slots=True)
class Account:
    """One customer's world. `plans` are used up by the next starts; then `plan` goes for all."""

    clock: SimulatorClock
    plan: Plan = field(default_factory=Plan)
    plans: deque[Plan] = field(default_factory=deque)
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    trainings: dict[str, Training] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _ends: list[tuple[datetime, str]] = field(default_factory=list)
    _ids: dict[str, str] = field(default_factory=dict)
    _dataset_json: dict[str, str] = field(default_factory=dict)

    def add_dataset(self, identity: str, kind: str, name: str) -> None:
        now = self.time(self.clock.now())
        self.datasets[identity] = {
            "id": identity,
            "name": name,
            "description": "",
            "version": 1.0,
            "type": kind,
            "time_created": now,
            "time_updated": now,
            "number_of_classes": 10,
            "number_of_active_classes": 10,
            "number_of_images": 200,
            "number_of_active_images": 200,
            "preview_images": [],
            "evaluation_result": {},
            "evaluation_state": 0,
            "issues": {"has_error": False, "has_warning": False},
        }
        self._dataset_json[identity] = json.dumps(self.datasets[identity])

    def start(self, given: dict[str, Any]) -> Training:
        plan = self.plans.popleft() if self.plans else self.plan
        training = Training(
            id=str(uuid4()),
            plan=plan,
            given=given,
            dataset=given["source_dataset_id"],
            created_at=self.clock.now(),
        )
        self.trainings[training.id] = training
        heapq.heappush(self._ends, (training.ended_at, training.id))
        return training

    def end_now(self, training_id: str, error: str = "") -> None:
        """Bring a training to its end at once, wherever it is."""
        training = self.trainings[training_id]
        now = self.clock.now()
        training.created_at = now
        training.plan = Plan(waiting_seconds=0, processing_seconds=0, error=error)
        heapq.heappush(self._ends, (now, training_id))

    def say(self, training_id: str, state: str | None) -> None:
        """Make a training's state read so, whatever it is."""
        training = self.trainings[training_id]
        training.plan = replace(training.plan, state=state)

    def settle(self) -> datetime:
        """Make the models of what has completed by now, in that order. Returns now."""
        now = self.clock.now()
        while self._ends and self._ends[0][0] <= now:
            _, training_id = heapq.heappop(self._ends)
            training = self.trainings.get(training_id)
            if training and not training.settled and training.state(now) == "completed":
                training.settled = True
                training.output_model = self._add_version(training)
        return now

    def shown(self, training: Training, now: datetime) -> str:
        """The training as JSON, with fields in the documented order."""
        state = training.state(now)
        seconds = training.seconds(now)
        total = training.plan.processing_seconds
        ended = state in ("completed", "failed")
        head = {
            "id": training.id,
            "type": self.datasets.get(training.dataset, {}).get("type"),
            "state": state,
            "progress": round(seconds / total, 4) if total else float(ended),
            "duration": round(seconds, 3),
            "error": training.plan.error if state == "failed" else "",
            "time_created": self.time(training.created_at),
            "time_started": None if state == "waiting" else self.time(training.started_at),
            "time_completed": self.time(training.ended_at) if ended else None,
        }
        tail = {
            "output_model_name": training.given["output_model_name"],
            "output_model": training.output_model,
            "config": training.given["config"],
            "output_model_description": training.given["output_model_description"],
            "output_model_changelog": training.given["output_model_changelog"],
        }
        # The dataset is the bulk of an answer and never changes.
        dataset = self._dataset_json.get(training.dataset, "null")
        return f'{json.dumps(head)[:-1]}, "source_dataset": {dataset}, {json.dumps(tail)[1:]}'

    def time(self, at: datetime) -> str:
        """As the service writes it: a space, and no zone."""
        return self.clock.shown(at).strftime("%Y-%m-%d %H:%M:%S.%f")

    def _add_version(self, training: Training) -> dict[str, Any]:
        name = training.given["output_model_name"]
        model = self.models.get(self._ids.get(name, ""))
        if model is None:
            model = {
                "id": str(uuid4()),
                "name": name,
                "description": training.given["output_model_description"],
                "type": self.datasets[training.dataset]["type"],
                "time_created": self.time(training.ended_at),
            }
            self.models[model["id"]] = model
            self._ids[name] = model["id"]
        versions = self.versions.setdefault(model["id"], [])
        versions.append(
            {
                "version_number": len(versions) + 1,
                "time_created": self.time(training.ended_at),
                "changelog": training.given["output_model_changelog"],
                "source_dataset": self.datasets[training.dataset],
            }
        )
        return {**model, "version_number": len(versions)}
