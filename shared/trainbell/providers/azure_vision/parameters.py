"""What a training and an evaluation take, checked before anything is sent.

Names are those of Microsoft's own Python client; patterns and ranges are those of the REST pages
for 2023-04-01-preview. No lengths are documented: those here are Trainbell's own and generous.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from trainbell.providers.orders import Parameters as OrderParameters

MIN_BUDGET_HOURS = 1
MAX_BUDGET_HOURS: Mapping[str, int] = {
    "Generic-Classifier": 336,
    "Generic-Detector": 1344,
    "Product-Recognizer": 336,
}
LONGEST_BUDGET_HOURS = max(MAX_BUDGET_HOURS.values())
NAME_PATTERN = r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$"
MAX_NAME = 255

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=MAX_NAME)]
DatasetName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
ModelKind = Literal["Generic-Classifier", "Generic-Detector", "Product-Recognizer"]
Section = Mapping[str, Mapping[str, Any]]
"""A body of the wire: `trainingParameters` or `evaluationParameters` with what they hold."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is made at the service: a model, or an evaluation of one. Names are its identity."""

    model: str
    evaluation: str | None = None

    def __str__(self) -> str:
        if self.evaluation is None:
            return f"model {self.model}"
        return f"evaluation {self.evaluation} of model {self.model}"


def own_name(job_id: str) -> str:
    """The name of what a job makes where the caller chose none: no other job's, ever."""
    return f"trainbell-{job_id}"


def _shorter_budgets(schema: dict[str, Any]) -> None:
    """Say in the schema, too, that the range depends on the kind."""
    kinds = [kind for kind, hours in MAX_BUDGET_HOURS.items() if hours < LONGEST_BUDGET_HOURS]
    hours = max(MAX_BUDGET_HOURS[kind] for kind in kinds)
    schema["if"] = {"properties": {"model_kind": {"enum": kinds}}, "required": ["model_kind"]}
    schema["then"] = {"properties": {"time_budget_in_hours": {"maximum": hours}}}


class TrainParameters(OrderParameters):
    """Input of `PUT /models/{name}`."""

    model_config = ConfigDict(json_schema_extra=_shorter_budgets)

    model_name: Name | None = Field(
        default=None,
        description="Name of the model to make; it must be new. Trainbell's own where left out.",
    )
    # Before the budget, whose range depends on it.
    model_kind: ModelKind | None = Field(
        default=None, description="Left out, the service decides by the dataset."
    )
    training_dataset_name: DatasetName = Field(description="The dataset to train on.")
    time_budget_in_hours: int = Field(
        ge=MIN_BUDGET_HOURS,
        le=LONGEST_BUDGET_HOURS,
        description=(
            "The most compute time to spend, in whole hours: to 336 for Generic-Classifier and "
            "Product-Recognizer, to 1344 for Generic-Detector."
        ),
    )
    test_dataset_name: DatasetName | None = Field(
        default=None, description="Evaluate the trained model on this dataset, too."
    )

    @field_validator("time_budget_in_hours")
    @classmethod
    def _within_the_kinds_range(cls, hours: int, info: ValidationInfo) -> int:
        kind = info.data.get("model_kind")
        longest = MAX_BUDGET_HOURS.get(kind, LONGEST_BUDGET_HOURS) if kind else hours
        if hours > longest:
            raise ValueError(f"a {kind} takes at most {longest} hours")
        return hours

    @property
    def name_is_chosen(self) -> bool:
        return self.model_name is not None

    def target(self, job_id: str) -> Target:
        return Target(self.model_name or own_name(job_id))

    def wire(self) -> Section:
        """The body to send."""
        training: dict[str, Any] = {
            "trainingDatasetName": self.training_dataset_name,
            "timeBudgetInHours": self.time_budget_in_hours,
        }
        if self.model_kind is not None:
            training["modelKind"] = self.model_kind
        if self.test_dataset_name is None:
            return {"trainingParameters": training}
        return {
            "trainingParameters": training,
            "evaluationParameters": {"testDatasetName": self.test_dataset_name},
        }


class EvaluateParameters(OrderParameters):
    """Input of `PUT /models/{name}/evaluations/{evaluationName}`."""

    model_name: Name = Field(description="The trained model to evaluate.")
    evaluation_name: Name | None = Field(
        default=None,
        description="Name of the evaluation; it must be new. Trainbell's own where left out.",
    )
    test_dataset_name: DatasetName = Field(description="The dataset to evaluate it on.")

    @property
    def name_is_chosen(self) -> bool:
        return self.evaluation_name is not None

    def target(self, job_id: str) -> Target:
        return Target(self.model_name, self.evaluation_name or own_name(job_id))

    def wire(self) -> Section:
        """The body to send."""
        return {"evaluationParameters": {"testDatasetName": self.test_dataset_name}}


Parameters = TrainParameters | EvaluateParameters
PARAMETERS: Mapping[str, type[TrainParameters | EvaluateParameters]] = {
    "train": TrainParameters,
    "evaluate": EvaluateParameters,
}
"""By kind of job."""
