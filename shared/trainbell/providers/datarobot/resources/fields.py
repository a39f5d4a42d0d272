"""The documented fields of models and versions, checked before anything is sent."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from trainbell.providers.datarobot.parameters import (
    HoldoutData,
    Id,
    Memory,
    MetadataValue,
    Parameters,
    Replicas,
)

Label = Annotated[str, Field(max_length=500)]
Sha = Annotated[str, Field(min_length=40, max_length=40)]
TargetType = Literal[
    "Binary",
    "Regression",
    "Multiclass",
    "Anomaly",
    "Transform",
    "TextGeneration",
    "GeoPoint",
    "Unstructured",
    "VectorDatabase",
]


class GitModelVersion(Parameters):
    commit_url: str
    main_branch_commit_sha: Sha
    pull_request_commit_sha: Sha | None
    ref_name: str


class ModelChanges(Parameters):
    """What `PATCH /customModels/{id}/` takes. A null label stands for the service's default."""

    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    description: Annotated[str, Field(max_length=10_000)] | None = None
    language: Annotated[str, Field(max_length=500)] | None = None
    class_labels: Annotated[list[str], Field(max_length=100)] | None = None
    positive_class_label: Label | None = None
    negative_class_label: Label | None = None
    prediction_threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    target_name: Label | None = None
    desired_memory: Memory | None = None
    maximum_memory: Memory | None = None
    replicas: Replicas | None = None
    requires_ha: bool | None = None
    network_egress_policy: Literal["NONE", "DR_API_ACCESS", "PUBLIC"] | None = None
    is_training_data_for_versions_permanently_enabled: bool | None = None
    git_model_version: GitModelVersion | None = None

    @model_validator(mode="after")
    def _both_labels(self) -> Self:
        if (self.positive_class_label is None) != (self.negative_class_label is None):
            raise ValueError("positiveClassLabel and negativeClassLabel go together")
        return self

    def changes(self) -> dict[str, Any]:
        """What was given, nulls included."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class NewModel(ModelChanges):
    """What `POST /customModels/` takes."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    custom_model_type: Literal["training", "inference"]
    target_type: TargetType | None = None
    supports_binary_classification: bool | None = None
    supports_regression: bool | None = None
    calibrate_predictions: bool | None = None
    playground_id: Id | None = None
    user_provided_id: Annotated[str, Field(max_length=100)] | None = None


class VersionChanges(Parameters):
    """What `PATCH …/versions/{id}/` takes."""

    description: Annotated[str, Field(max_length=10_000)] | None = None
    git_model_version: GitModelVersion | None = None
    required_metadata: dict[str, Any] | None = None
    required_metadata_values: list[MetadataValue] | None = None


class TrainingDataset(Parameters):
    dataset_id: Id
    dataset_version_id: Id | None = None
    dataset_name: Annotated[str, Field(max_length=255)] | None = None


class NewVersion(Parameters):
    """The form fields of a new version, beside its files."""

    is_major_update: bool = False
    base_environment_id: Id | None = None
    base_environment_version_id: Id | None = None
    keep_training_holdout_data: bool | None = None
    training_data: TrainingDataset | None = None
    holdout_data: HoldoutData | None = None
    desired_memory: Memory | None = None
    maximum_memory: Memory | None = None
    replicas: Replicas | None = None
    requires_ha: bool | None = None
    network_egress_policy: Literal["NONE", "PUBLIC"] | None = None
    resource_bundle_id: Id | None = None
    required_metadata: dict[str, Any] | None = None
    required_metadata_values: list[MetadataValue] | None = None
    git_model_version: GitModelVersion | None = None

    @model_validator(mode="after")
    def _bundle_or_memory(self) -> Self:
        if self.resource_bundle_id and (self.desired_memory or self.maximum_memory):
            raise ValueError("resourceBundleId goes with neither desiredMemory nor maximumMemory")
        return self

    def form(self) -> dict[str, str]:
        """Texts; what is no text is JSON, as the service reads it."""
        given = {"isMajorUpdate": self.is_major_update, **self.wire()}
        return {k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items()}


Role = Literal[
    "ADMIN",
    "CONSUMER",
    "DATA_SCIENTIST",
    "EDITOR",
    "OBSERVER",
    "OWNER",
    "READ_ONLY",
    "READ_WRITE",
    "USER",
]


class Grant(Parameters):
    """A user's role from now on; None takes every role away."""

    username: Annotated[str, Field(min_length=1)]
    role: Role | None
    can_share: bool | None = None

    def body(self) -> dict[str, object]:
        told: dict[str, object] = {"username": self.username, "role": self.role}
        return told if self.can_share is None else {**told, "canShare": self.can_share}
