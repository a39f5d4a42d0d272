"""What an Einstein training takes, checked before anything is sent.

Names and ranges are the service's (metamind.readme.io: train-a-dataset, retrain-a-dataset and their
`lang-` twins; the vendor's OpenAPI document 2.0.1). They are spelled as there, in camel case.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from trainbell.providers.orders import MARKER_START, Parameters, marker, without_marker

JOB_ID_LENGTH = 26
MAX_SENT_NAME = 180
MAX_NAME = MAX_SENT_NAME - len(f" {MARKER_START}]") - JOB_ID_LENGTH
"""Of the caller's own text: the marker takes the rest of the service's 180 characters."""

Service = Literal["vision", "language"]
Algorithm = Literal[
    "object-detection",
    "object-detection-v1",
    "object-detection-v2",
    "retail-execution",
    "intent",
    "multilingual-intent",
    "multilingual-intent-ood",
]
DETECTION = frozenset(
    {"object-detection", "object-detection-v1", "object-detection-v2", "retail-execution"}
)
MAX_VISION_EPOCHS = 1000
ModelId = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$")]
DatasetId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class _AsOnTheWire(Parameters):
    """Fields in the service's own spelling, in requests, schemas and what is stored."""

    model_config = ConfigDict(alias_generator=to_camel, serialize_by_alias=True)


class TrainParams(_AsOnTheWire):
    """How the model is made. The service gives these back with the training."""

    with_feedback: bool | None = Field(
        default=None, description="Train on the feedback examples as well."
    )
    train_split_ratio: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Share of the examples to train on; the rest tests the model. Default: 0.9 "
        "for vision, 0.8 for language.",
    )
    with_global_dataset_id: DatasetId | None = Field(
        default=None, description="A global dataset to train on as well."
    )


class _Training(_AsOnTheWire):
    """What training and retraining share."""

    service: Service = Field(default="vision", description="Einstein Vision or Einstein Language.")
    algorithm: Algorithm | None = Field(
        default=None,
        description="vision: only for detection datasets (object-detection, object-detection-v1, "
        "object-detection-v2, retail-execution). language: only for intents (intent, "
        "multilingual-intent, multilingual-intent-ood).",
    )
    epochs: int | None = Field(
        default=None,
        ge=1,
        le=2**31 - 1,
        description=f"Training iterations. vision: 1 to {MAX_VISION_EPOCHS}. language: no upper "
        "bound is documented.",
    )
    learning_rate: float | None = Field(
        default=None,
        ge=0.0001,
        le=0.01,
        description="The service's default is 0.0001, and it advises at most 0.001. Detection "
        "and language take none.",
    )
    train_params: TrainParams | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        detects = self.algorithm in DETECTION
        problems = []
        if self.algorithm is not None and detects != (self.service == "vision"):
            problems.append(f"algorithm: Einstein {self.service} has no {self.algorithm}")
        if self.service == "vision" and (self.epochs or 0) > MAX_VISION_EPOCHS:
            problems.append(f"epochs: Einstein vision takes 1 to {MAX_VISION_EPOCHS}")
        if self.learning_rate is not None and (detects or self.service == "language"):
            problems.append("learningRate: neither detection nor language trainings take one")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _fields(self) -> dict[str, str]:
        """The optional ones that were given, as the form's texts."""
        given: dict[str, Any] = {
            "algorithm": self.algorithm,
            "epochs": self.epochs,
            "learningRate": self.learning_rate,
        }
        fields = {name: _text(value) for name, value in given.items() if value is not None}
        if asked := self.asked_train_params():
            fields["trainParams"] = json.dumps(asked)
        return fields

    def asked_train_params(self) -> dict[str, Any]:
        return self.train_params.model_dump(exclude_none=True) if self.train_params else {}


class TrainParameters(_Training):
    """Input of `POST /v2/{service}/train`: makes a new model."""

    dataset_id: DatasetId = Field(description="The dataset to train on.")
    name: Annotated[str, AfterValidator(without_marker)] = Field(
        min_length=1,
        max_length=MAX_NAME,
        pattern=r"^\S(.*\S)?$",
        description="The model's name. The service takes 180 characters; Trainbell's marker, by "
        f"which a lost start is found again, needs {MAX_SENT_NAME - MAX_NAME} of them.",
    )

    def form(self, job_id: str) -> dict[str, str]:
        name = f"{self.name} {marker(job_id)}"
        return {"name": name, "datasetId": str(self.dataset_id), **self._fields()}


class RetrainParameters(_Training):
    """Input of `POST /v2/{service}/retrain`: trains a model anew on its dataset, under its id."""

    model_id: ModelId = Field(description="The model to retrain.")

    def form(self) -> dict[str, str]:
        return {"modelId": self.model_id, **self._fields()}


class EinsteinOptions(Parameters):
    """The connection's own settings. Its secret is the account's private key in PEM form."""

    account: str = Field(
        min_length=3,
        max_length=254,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="The account's e-mail address, which the key belongs to.",
    )
    token_seconds: int = Field(
        default=60,
        ge=60,
        le=2_592_000,
        description="How long an access token lives; the service allows up to 30 days.",
    )


def _text(value: object) -> str:
    # Not 1e-04, which not every parser of a form field reads.
    return f"{value:.10f}".rstrip("0") if isinstance(value, float) else str(value)
