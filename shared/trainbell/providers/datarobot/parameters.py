"""What each kind of job takes, checked before anything is sent.

Names, patterns, lengths and ranges are the service's (docs.datarobot.com, API reference "Custom
models"). It documents no pattern for ids; the one here keeps them within a path.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from trainbell.providers.orders import Parameters as OrderParameters

MIN_MEMORY = 134_217_728
MAX_MEMORY = 15_032_385_536
MAX_REPLICAS = 8
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Memory = Annotated[int, Field(ge=MIN_MEMORY, le=MAX_MEMORY, description="In bytes.")]
Replicas = Annotated[int, Field(ge=1, le=MAX_REPLICAS)]
Name = Annotated[str, Field(max_length=255)]
Column = Annotated[str, Field(max_length=500)]


class Parameters(OrderParameters):
    """By their camel-case names, as the service's own documentation has them."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        # A job's parameters are stored as they are given back, and read again to start it.
        serialize_by_alias=True,
        protected_namespaces=(),
    )

    def wire(self, *without: str) -> dict[str, Any]:
        """What was given, by the service's names, without these."""
        given = self.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
        return {key: value for key, value in given.items() if key not in without}


class OfModel(Parameters):
    custom_model_id: Id


class OfVersion(OfModel):
    custom_model_version_id: Id


class ModelTestConfiguration(Parameters):
    """What a check that does not pass does to the test."""

    error_check: Literal["fail", "skip"] = "fail"
    long_running_service: Literal["fail"] = "fail"
    null_value_imputation: Literal["skip", "warn", "fail"] = "skip"
    side_effects: Literal["skip", "warn", "fail"] = "skip"


class ModelTestParameters(OfVersion):
    """Input of `POST /customModelTests/`."""

    dataset_id: Id | None = Field(
        default=None, description="Needed for all but unstructured models; must be a snapshot."
    )
    dataset_version_id: Id | None = None
    configuration: ModelTestConfiguration | None = None
    environment_id: Id | None = None
    environment_version_id: Id | None = None
    desired_memory: Memory | None = None
    maximum_memory: Memory | None = None
    replicas: Replicas | None = None
    requires_ha: bool | None = None
    network_egress_policy: Literal["NONE", "PUBLIC"] | None = None
    resource_bundle_id: Id | None = None

    @model_validator(mode="after")
    def _bundle_or_memory(self) -> Self:
        if self.resource_bundle_id and (self.desired_memory or self.maximum_memory):
            raise ValueError("resourceBundleId goes with neither desiredMemory nor maximumMemory")
        return self


class BuildParameters(OfVersion):
    """A version's dependency build takes nothing but the version."""


class ConvertParameters(OfVersion):
    """Input of `POST …/conversions/`."""

    main_program_item_id: Id = Field(description="The file of the version to begin with.")


class FeatureImpactParameters(OfVersion):
    """Input of `POST …/featureImpact/`."""

    row_count: int | None = Field(
        default=None, ge=10, le=100_000, description="Sample size; the service's choice if none."
    )


class ExplainParameters(OfVersion):
    """Prediction explanations initialization. With an environment it goes by the deprecated route
    of the model, which is the only one that takes an environment."""

    environment_id: Id | None = None
    environment_version_id: Id | None = None


class HoldoutData(Parameters):
    """A column of the training data, or (unstructured models) a dataset of its own."""

    dataset_id: Id | None = None
    dataset_version_id: Id | None = None
    dataset_name: Name | None = None
    partition_column: Column | None = None


class AssignParameters(OfModel):
    """Assigns training data.

    `route` versions (the current one): a new version of the model gets it. with_training_data: the
    same by a deprecated route. training_data: the model itself gets it (deprecated, and refused
    once a model has its training data at the versions).
    """

    route: Literal["versions", "with_training_data", "training_data"] = "versions"
    dataset_id: Id
    dataset_version_id: Id | None = None
    dataset_name: Name | None = None
    partition_column: Column | None = Field(
        default=None, description="For the route training_data; otherwise see holdoutData."
    )
    holdout_data: HoldoutData | None = None
    base_environment_id: Id | None = Field(default=None, description="For the route versions.")
    is_major_update: bool = Field(default=False, description="For the route versions.")

    @model_validator(mode="after")
    def _fits_its_route(self) -> Self:
        of_model = self.route == "training_data"
        if of_model and self.holdout_data is not None:
            raise ValueError("holdoutData: the route training_data has none")
        if not of_model and self.partition_column is not None:
            raise ValueError("partitionColumn is for the route training_data; use holdoutData")
        if self.route != "versions" and (self.base_environment_id or self.is_major_update):
            raise ValueError("baseEnvironmentId and isMajorUpdate are for the route versions")
        return self

    def training_data(self) -> dict[str, Any]:
        names = {"dataset_id", "dataset_version_id", "dataset_name"}
        return self.model_dump(by_alias=True, include=names, exclude_none=True)


class MetadataValue(Parameters):
    field_name: Annotated[str, Field(min_length=1)]
    value: Annotated[str, Field(max_length=100)]


class ImportParameters(OfModel):
    """Input of `POST …/versions/fromRepository/`; with `fromLatest` of `PATCH`, which keeps the
    files of the latest version."""

    repository_id: Id
    ref: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    source_path: (
        Annotated[str, Field(min_length=1, max_length=4096)]
        | Annotated[
            list[Annotated[str, Field(min_length=1, max_length=4096)]], Field(max_length=1000)
        ]
        | None
    ) = None
    base_environment_id: Id | None = None
    is_major_update: bool | None = None
    keep_training_holdout_data: bool | None = None
    required_metadata: dict[str, Any] | None = None
    required_metadata_values: list[MetadataValue] | None = None
    from_latest: bool = False
