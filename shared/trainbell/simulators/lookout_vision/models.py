"""A simulated model version: trained by time, then hosted, stopped and deleted as asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.settings import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a training goes: how long it takes, what it measures, and its error if it fails.

    `status` overrides the service's own word. `change_seconds`: how long hosting takes to start
    and to stop, and a deletion to be done.
    """

    training_seconds: Seconds = 20.0
    error: str = ""
    f1_score: float = 0.96
    precision: float = 0.94
    recall: float = 0.98
    change_seconds: Seconds = 5.0
    status: str | None = None


@dataclass(slots=True, kw_only=True)
class Model:
    """`given` is the body of CreateModel. `changed_to` is what a later call asked for: HOSTED,
    TRAINED (stopped) or gone; `passing` is the status until then."""

    project: str
    version: int
    arn: str
    given: dict[str, Any]
    plan: Plan
    created_at: datetime
    passing: str | None = None
    changed_to: str | None = None
    changed_at: datetime | None = None
    inference_units: tuple[int, int | None] | None = None

    @property
    def ended_at(self) -> datetime:
        return self.created_at + timedelta(seconds=self.plan.training_seconds)

    def status(self, now: datetime) -> str:
        """The service's word; `GONE` once a deletion is done."""
        if self.plan.status is not None:
            return self.plan.status
        if now < self.ended_at:
            return "TRAINING"
        if self.changed_at is not None and self.passing and self.changed_to:
            return self.passing if now < self.changed_at else self.changed_to
        return "TRAINING_FAILED" if self.plan.error else "TRAINED"

    def change(self, passing: str, to: str, now: datetime) -> None:
        self.passing, self.changed_to = passing, to
        self.changed_at = now + timedelta(seconds=self.plan.change_seconds)

    def has_succeeded(self, now: datetime) -> bool:
        return now >= self.ended_at and not self.plan.error

    def metadata(self, now: datetime, clock: SimulatorClock) -> dict[str, Any]:
        """As `ModelMetadata`; members without a value are left out."""
        shown: dict[str, Any] = {
            "CreationTimestamp": clock.shown(self.created_at).timestamp(),
            "ModelVersion": str(self.version),
            "ModelArn": self.arn,
            "Status": self.status(now),
            "StatusMessage": self._message(now),
        }
        if "Description" in self.given:
            shown["Description"] = self.given["Description"]
        if self.has_succeeded(now):
            shown["Performance"] = {
                "F1Score": self.plan.f1_score,
                "Recall": self.plan.recall,
                "Precision": self.plan.precision,
            }
        return shown

    def description(self, now: datetime, clock: SimulatorClock) -> dict[str, Any]:
        """As `ModelDescription`."""
        shown = self.metadata(now, clock)
        shown["OutputConfig"] = self.given["OutputConfig"]
        if "KmsKeyId" in self.given:
            shown["KmsKeyId"] = self.given["KmsKeyId"]
        if self.has_succeeded(now):
            shown["EvaluationManifest"] = self._file("EvaluationManifest.json")
            shown["EvaluationResult"] = self._file("EvaluationResult.json")
            shown["EvaluationEndTimestamp"] = clock.shown(self.ended_at).timestamp()
        if self.inference_units is not None:
            shown["MinInferenceUnits"] = self.inference_units[0]
            if self.inference_units[1] is not None:
                shown["MaxInferenceUnits"] = self.inference_units[1]
        return shown

    def _message(self, now: datetime) -> str:
        status = self.status(now)
        if status == "TRAINING_FAILED":
            return self.plan.error
        return {
            "TRAINING": "The model is being trained.",
            "TRAINED": "Training completed successfully.",
            "HOSTED": "The model is running.",
        }.get(status, "")

    def _file(self, name: str) -> dict[str, str]:
        place = self.given["OutputConfig"]["S3Location"]
        folder = f"{place.get('Prefix', '')}{self.project}-{self.version}"
        return {"Bucket": place["Bucket"], "Key": f"{folder}/{name}"}
