"""DataRobot's objects as they come over the wire.

Only what Trainbell stands on is required. The rest may be missing, null or of another shape without
making an answer unreadable.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from trainbell.providers.vendor_values import Flag, Id, Number, Object, Text, Time, Word

Item = TypeVar("Item", bound=BaseModel)


class VendorModel(BaseModel):
    """Fields by their camel-case names on the wire."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")


class ListPage(VendorModel, Generic[Item]):
    """One page. `next` and `previous` are absolute links; only whether they are there is read,
    since following one would send the key wherever it points."""

    data: list[Item] = Field(max_length=1000)
    next: Text = None
    previous: Text = None
    total_count: int | None = Field(default=None, ge=0)


class CustomModel(VendorModel):
    id: Id
    name: Text = None
    description: Text = None
    target_type: Text = None
    custom_model_type: Text = None
    created: Time = None
    updated: Time = None
    deployments_count: int | None = None
    latest_version: Object = None
    training_dataset_id: Text = None
    training_data_assignment_in_progress: Flag = None


class TrainingData(VendorModel):
    dataset_id: Text = None
    dataset_version_id: Text = None
    dataset_name: Text = None
    assignment_in_progress: Flag = None
    assignment_error: Object = None


class FileItem(VendorModel):
    id: Text = None
    file_name: Text = None
    file_path: Text = None
    ref: Text = None


class ModelVersion(VendorModel):
    id: Id
    custom_model_id: Text = None
    label: Text = None
    description: Text = None
    created: Time = None
    is_frozen: Flag = None
    items: list[FileItem] = Field(default_factory=list)
    training_data: TrainingData | None = None
    holdout_data: Object = None


class Check(VendorModel):
    status: Text = None
    message: Text = None


class ModelTest(VendorModel):
    """`testing_status` has a status and a message for each of the four checks. `completed_at` is
    blank or null until the end; `custom_model_image_id` is null unless it succeeded."""

    id: Id
    overall_status: Word
    testing_status: dict[str, Check] = Field(default_factory=dict)
    custom_model: Object = None
    custom_model_version: Object = None
    custom_model_image_id: Text = None
    created: Time = None
    completed_at: Time = None


class DependencyBuild(VendorModel):
    build_status: Word
    build_start: Time = None
    build_end: Time = None


class Conversion(VendorModel):
    id: Id
    created: Time = None
    main_program_item_id: Text = None
    conversion_in_progress: Flag = None
    conversion_succeeded: Flag = None
    should_stop: Flag = None
    log_message: Text = None
    generated_metadata: Object = None


class ConversionStarted(VendorModel):
    conversion_id: Id


class Started(VendorModel):
    """The 202 of a test or a feature impact."""

    status_id: Id


class AsyncStatus(VendorModel):
    """A record of `GET /status/`. `location` is where the finished resource is (303)."""

    status_id: Id
    status: Word
    created: Time = None
    type: Text = None
    code: int | None = None
    message: Text = None
    description: Text = None
    location: Text = None


class FeatureImpactItem(VendorModel):
    feature_name: str = Field(max_length=1000)
    impact_normalized: Number = None
    impact_unnormalized: Number = None
    redundant_with: Text = None


class FeatureImpact(VendorModel):
    feature_impacts: list[FeatureImpactItem] = Field(max_length=10_000)
    row_count: int | None = None
    shap_based: Flag = None
    ran_redundancy_detection: Flag = None


class Limits(VendorModel):
    """Bytes, replicas and users that this account may use at most."""

    desired_custom_model_container_size: int | None = None
    max_custom_model_container_size: int | None = None
    max_custom_model_replicas_per_deployment: int | None = None
    max_custom_model_testing_parallel_users: int | None = None


class AccessRole(VendorModel):
    username: str
    role: str
    user_id: Text = None
    can_share: Flag = None
