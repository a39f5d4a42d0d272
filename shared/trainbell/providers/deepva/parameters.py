"""What a DeepVA training takes, checked before anything is sent.

Names and defaults are the service's (docs.deepva.com/core-resources/training). It documents no
lengths and no ranges; the bounds here are Trainbell's own and generous.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from trainbell.providers.orders import Parameters, marker, without_marker

MAX_CHANGELOG = 2000
"""Of the caller's own text; the marker comes on top of it."""


class FaceConfig(Parameters):
    """Parameters of a training on a dataset of type `face`. Landmark datasets take none."""

    min_face_size: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Smallest side of a face in pixels. The service's default is 80.",
    )
    sharpness_threshold: int | None = Field(
        default=None,
        ge=0,
        le=1000,
        description="Lowest quality of a face; lower is more blurry. The service's default is 40.",
    )


class TrainParameters(Parameters):
    """Input of `POST /trainings/`."""

    source_dataset_id: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The dataset to train on: face or landmark."
    )
    output_model_name: str = Field(
        min_length=1,
        max_length=200,
        pattern=r"^\S(.*\S)?$",
        description="The model to make. An existing one gets another version.",
    )
    output_model_description: str = Field(default="", max_length=2000)
    output_model_changelog: Annotated[str, AfterValidator(without_marker)] = Field(
        default="",
        max_length=MAX_CHANGELOG,
        description="What is new in this version. Trainbell puts its marker before it.",
    )
    config: FaceConfig = Field(
        default_factory=FaceConfig,
        description="For face datasets only; leave it out for landmark datasets.",
    )

    def wire(self, job_id: str) -> dict[str, Any]:
        """The body to send: with the marker first, where no service cuts a long text off."""
        changelog = f"{marker(job_id)} {self.output_model_changelog}".rstrip()
        body = self.model_dump(exclude_none=True)
        return {**body, "output_model_changelog": changelog}
