"""What the simulated service holds for one account in one region."""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.lookout_vision.models import Model, Plan
from trainbell.simulators.lookout_vision.refusals import conflict, missing, over_quota

ACCOUNT_ID = "123456789012"
PROJECT = "circuit-boards"
"""A project that is there from the beginning, with a training dataset."""
TOKEN_LIFE = timedelta(hours=8)
DATASET_SECONDS = 1.0


@dataclass(slots=True, kw_only=True)
class Dataset:
    created_at: datetime
    ready_at: datetime

    def status(self, now: datetime) -> str:
        return "CREATE_COMPLETE" if now >= self.ready_at else "CREATE_IN_PROGRESS"


@dataclass(slots=True, kw_only=True)
class Project:
    """`models` by version, oldest first. A version number is never given twice. `going`: versions
    whose deletion was asked for."""

    name: str
    arn: str
    created_at: datetime
    datasets: dict[str, Dataset] = field(default_factory=dict)
    models: dict[int, Model] = field(default_factory=dict)
    going: set[int] = field(default_factory=set)
    last_version: int = 0


@dataclass(frozen=True, slots=True)
class _Done:
    fingerprint: str
    answer: dict[str, Any]
    until: datetime


@dataclass(slots=True)
class Account:
    """`plans` are used up by the next trainings; then `plan` goes for all. `max_trainings`: how
    many may run at once (None: no quota)."""

    clock: SimulatorClock
    region: str = "us-east-1"
    plan: Plan = field(default_factory=Plan)
    plans: deque[Plan] = field(default_factory=deque)
    max_trainings: int | None = None
    projects: dict[str, Project] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    _ledger: OrderedDict[tuple[str, str], _Done] = field(default_factory=OrderedDict)
    _perhaps_training: list[Model] = field(default_factory=list)

    def once(
        self,
        operation: str,
        token: str | None,
        given: Any,
        do: Callable[[], dict[str, Any]],
    ) -> dict[str, Any]:
        """Do it; or, where this token was used in the last 8 hours, give the answer of then.

        Raises Refused (409) where the token was used with other input. Which error that is, AWS
        does not document.
        """
        if token is None:
            return do()
        now = self.clock.now()
        fingerprint = sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
        done = self._ledger.get((operation, token))
        if done is not None and now < done.until:
            if done.fingerprint != fingerprint:
                message = "The client token was used with other input parameters."
                raise conflict("MODEL", token, message)
            return done.answer
        answer = do()
        self._ledger.pop((operation, token), None)
        self._ledger[operation, token] = _Done(fingerprint, answer, now + TOKEN_LIFE)
        while next(iter(self._ledger.values())).until <= now:
            self._ledger.popitem(last=False)
        return answer

    def add_project(self, name: str) -> Project:
        if name in self.projects:
            raise conflict("PROJECT", name, f"The project {name} already exists.")
        arn = f"arn:aws:lookoutvision:{self.region}:{ACCOUNT_ID}:project/{name}"
        project = Project(name=name, arn=arn, created_at=self.clock.now())
        self.projects[name] = project
        return project

    def project(self, name: str) -> Project:
        project = self.projects.get(name)
        if project is None:
            raise missing("PROJECT", name)
        now = self.clock.now()
        for version in sorted(project.going):
            if project.models[version].status(now) == "GONE":
                project.going.discard(version)
                self.tags.pop(project.models.pop(version).arn, None)
        return project

    def delete_project(self, name: str) -> Project:
        project = self.project(name)
        if project.models or project.datasets:
            raise conflict("PROJECT", name, "The project still has models or datasets.")
        return self.projects.pop(name)

    def add_dataset(self, project: Project, kind: str, seconds: float = DATASET_SECONDS) -> Dataset:
        if kind in project.datasets:
            raise conflict("DATASET", kind, f"The {kind} dataset already exists.")
        now = self.clock.now()
        dataset = Dataset(created_at=now, ready_at=now + timedelta(seconds=seconds))
        project.datasets[kind] = dataset
        return dataset

    def dataset(self, project: Project, kind: str) -> Dataset:
        if kind not in project.datasets:
            raise missing("DATASET", kind)
        return project.datasets[kind]

    def train(self, project: Project, given: dict[str, Any]) -> Model:
        """A new version, if the project has its dataset and no quota is in the way."""
        now = self.clock.now()
        if self.dataset(project, "train").status(now) != "CREATE_COMPLETE":
            raise conflict("DATASET", "train", "The dataset is not complete yet.")
        self._keep_quota(project, now)
        project.last_version += 1
        version = project.last_version
        base = f"arn:aws:lookoutvision:{self.region}:{ACCOUNT_ID}"
        model = Model(
            project=project.name,
            version=version,
            arn=f"{base}:model/{project.name}/{version}",
            given=given,
            plan=self.plans.popleft() if self.plans else self.plan,
            created_at=now,
        )
        project.models[version] = model
        self._perhaps_training.append(model)
        self.tags[model.arn] = {tag["Key"]: tag["Value"] for tag in given.get("Tags") or ()}
        return model

    def model(self, project: Project, version: str) -> Model:
        """By number, or `latest`."""
        number = max(project.models, default=0) if version == "latest" else int(version)
        if number not in project.models:
            raise missing("MODEL", version)
        return project.models[number]

    # ---------------------------------------- for tests

    def end_now(self, project: str, version: str, error: str = "") -> None:
        """Bring a training to its end at once, wherever it is."""
        model = self.model(self.projects[project], version)
        spent = (self.clock.now() - model.created_at).total_seconds()
        model.plan = replace(model.plan, training_seconds=spent, error=error)

    def say(self, project: str, version: str, status: str | None) -> None:
        """Make a model's status read so, whatever it is."""
        model = self.model(self.projects[project], version)
        model.plan = replace(model.plan, status=status)

    def _keep_quota(self, project: Project, now: datetime) -> None:
        if self.max_trainings is None:
            return
        self._perhaps_training = [
            model for model in self._perhaps_training if model.status(now) == "TRAINING"
        ]
        if len(self._perhaps_training) >= self.max_trainings:
            message = f"At most {self.max_trainings} models can be trained at once."
            raise over_quota("PROJECT", project.name, message, "L-TRAININGS")
