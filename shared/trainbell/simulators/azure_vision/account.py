"""What one simulated resource holds: datasets, models, and the models' evaluations."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from trainbell.simulators.azure_vision.checks import KIND_OF_ANNOTATIONS
from trainbell.simulators.azure_vision.runs import Plan, Run
from trainbell.simulators.clock import SimulatorClock

CLASSIFICATION_DATASET = "flowers"
DETECTION_DATASET = "shelves"
_TAGS = {
    CLASSIFICATION_DATASET: ("daisy", "rose", "tulip"),
    DETECTION_DATASET: ("bottle", "can", "gap"),
}


@dataclass(slots=True)
class Account:
    """`plans` are used up by the next runs; then `plan` goes for all."""

    clock: SimulatorClock
    plan: Plan = field(default_factory=Plan)
    plans: deque[Plan] = field(default_factory=deque)
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, Run] = field(default_factory=dict)
    evaluations: dict[tuple[str, str], Run] = field(default_factory=dict)

    def annotations(self) -> dict[str, str]:
        """Each dataset's kind of annotations."""
        return {name: dataset["annotationKind"] for name, dataset in self.datasets.items()}

    def add_dataset(self, name: str, annotations: str) -> None:
        uri = f"https://example.blob.core.windows.net/{name}/annotations.json"
        self.put_dataset(name, {"annotationKind": annotations, "annotationFileUris": [uri]})

    def put_dataset(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Create it, or change what is given of it."""
        now = self._time(self.clock.now())
        created = {
            "name": name,
            "createdDateTime": now,
            "authentication": {"kind": "managedIdentity"},
        }
        self.datasets[name] = {
            **self.datasets.get(name, created),
            **given,
            "updatedDateTime": now,
        }
        return self.datasets[name]

    def train(self, name: str, given: Mapping[str, Any]) -> Run:
        """A dataset that is not there makes the training fail; its creation is accepted."""
        training = given["trainingParameters"]
        dataset = training["trainingDatasetName"]
        kind = training.get("modelKind") or self._fitting(dataset)
        run = Run(
            name=name,
            plan=self._plan("datasetNotFound" if dataset not in self.datasets else None),
            given=given,
            performance=_performance(kind, _TAGS.get(dataset, ("first", "second"))),
            created_at=self.clock.now(),
            skew_seconds=self.clock.skew_seconds,
            budget_seconds=training["timeBudgetInHours"] * 3600.0,
        )
        self.models[name] = run
        return run

    def evaluate(self, model: Run, name: str, given: Mapping[str, Any]) -> Run:
        dataset = given["evaluationParameters"]["testDatasetName"]
        training = model.given["trainingParameters"]
        kind = training.get("modelKind") or self._fitting(training["trainingDatasetName"])
        run = Run(
            name=name,
            model_name=model.name,
            plan=self._plan(self._evaluation_error(kind, dataset)),
            given=given,
            performance=_performance(kind, _TAGS.get(dataset, ("first", "second"))),
            created_at=self.clock.now(),
            skew_seconds=self.clock.skew_seconds,
        )
        self.evaluations[model.name, name] = run
        return run

    def delete_model(self, name: str) -> None:
        """Its evaluations go with it."""
        del self.models[name]
        for key in [key for key in self.evaluations if key[0] == name]:
            del self.evaluations[key]

    def _plan(self, error: str | None) -> Plan:
        plan = self.plans.popleft() if self.plans else self.plan
        return plan if error is None else replace(plan, error=error)

    def _fitting(self, dataset: str) -> str:
        found = self.datasets.get(dataset, {"annotationKind": "imageClassification"})
        return KIND_OF_ANNOTATIONS[found["annotationKind"]]

    def _evaluation_error(self, kind: str, dataset: str) -> str | None:
        if dataset not in self.datasets:
            return "datasetNotFound"
        classifies = self._fitting(dataset) == "Generic-Classifier"
        return "incorrectModelKind" if classifies != (kind == "Generic-Classifier") else None

    def _time(self, at: datetime) -> str:
        at = self.clock.shown(at)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def _performance(kind: str, tags: tuple[str, ...]) -> dict[str, Any]:
    """Every documented metric of this kind of model."""
    if kind == "Generic-Classifier":
        return {
            "accuracyTop1": 0.93,
            "accuracyTop5": 0.99,
            "averagePrecision": 0.95,
            "calibrationECE": 0.02,
            "tagPerformance": {tag: {"accuracy": 0.9 + n / 100} for n, tag in enumerate(tags)},
        }
    return {
        "averagePrecision": 0.81,
        "meanAveragePrecision30": 0.88,
        "meanAveragePrecision50": 0.84,
        "meanAveragePrecision75": 0.62,
        "tagPerformance": {
            tag: {"averagePrecision50": 0.8 + n / 100} for n, tag in enumerate(tags)
        },
    }
