"""What a training at Lookout for Vision takes, checked before anything is sent.

Names, patterns and lengths are those of CreateModel in the service's API reference and in its
botocore model (2020-11-20), so what was given to `create_model` can be given here. The client
token is Trainbell's own: the job's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_pascal

from trainbell.providers.orders import Parameters

MAX_DESCRIPTION = 500
MAX_TAGS = 200
MARKER_START = "trainbell-"
MARKER_TAG = "trainbell:job"
JOB_ID_LENGTH = 26
ROOM_FOR_MARKER = len(".") + len(MARKER_START) + JOB_ID_LENGTH

Region = Literal[
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "ap-northeast-1",
    "ap-northeast-2",
]
"""Every region that the service had (botocore 1.40.60, endpoints.json)."""


class ConnectionOptions(Parameters):
    """Options of a connection. `region` is also part of each signature."""

    region: Region = Field(description="The AWS region of the project.")


class _AsOnTheWire(Parameters):
    model_config = ConfigDict(alias_generator=to_pascal, serialize_by_alias=True)


class S3Location(_AsOnTheWire):
    bucket: str = Field(min_length=3, max_length=63, pattern=r"^[0-9A-Za-z.\-_]*$")
    prefix: str | None = Field(
        default=None,
        max_length=1024,
        pattern=r"^([a-zA-Z0-9!_.*'()-][/a-zA-Z0-9!_.*'()-]*)?$",
    )


class OutputConfig(_AsOnTheWire):
    """Where the service puts the evaluation of the training."""

    s3_location: S3Location


class Tag(_AsOnTheWire):
    key: str = Field(min_length=1, max_length=128, pattern=r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$")
    value: str = Field(max_length=256, pattern=r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$")


def _unmarked(text: str) -> str:
    if MARKER_START in text:
        raise ValueError(f"must not hold {MARKER_START!r}, which marks Trainbell's own starts")
    return text


def _without_marker(tags: list[Tag]) -> list[Tag]:
    if any(tag.key == MARKER_TAG for tag in tags):
        raise ValueError(f"must not hold the key {MARKER_TAG!r}, which is Trainbell's own")
    return tags


class TrainParameters(_AsOnTheWire):
    """Input of CreateModel."""

    project_name: str = Field(
        min_length=1,
        max_length=255,
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_\-]*$",
        description="The project in which a new model version is trained.",
    )
    description: Annotated[str, AfterValidator(_unmarked)] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_DESCRIPTION,
        pattern=r"^[0-9A-Za-z.\-_]*$",
        description="Of the model version. Trainbell puts its marker behind it.",
    )
    kms_key_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=2048,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9:_/+=,@.-]{0,2048}$",
        description="Encrypts the copies of the images. Without it the service's own key does.",
    )
    output_config: OutputConfig
    tags: Annotated[list[Tag], AfterValidator(_without_marker)] = Field(
        default_factory=list, max_length=MAX_TAGS
    )

    @model_validator(mode="after")
    def _has_room_for_the_marker(self) -> Self:
        if len(self.tags) == MAX_TAGS and not _fits(self.description, ROOM_FOR_MARKER):
            raise ValueError(
                f"with {MAX_TAGS} Tags, Description has at most {MAX_DESCRIPTION - ROOM_FOR_MARKER}"
                " characters: one of the two must leave room for the mark by which a start is found"
            )
        return self

    def wire(self, job_id: str) -> dict[str, Any]:
        """The body to send, marked: at the end of the description, where a list shows it at once;
        in a tag where the description is too long for that."""
        body: dict[str, Any] = self.model_dump(exclude_none=True, exclude={"project_name"})
        if self.marked_description(job_id) is not None:
            body["Description"] = self.marked_description(job_id)
        else:
            body["Tags"] = [*body["Tags"], {"Key": MARKER_TAG, "Value": job_id}]
        if not body["Tags"]:
            # Tagging asks for a permission of its own (lookoutvision:TagResource).
            del body["Tags"]
        return body

    def marked_description(self, job_id: str) -> str | None:
        """The description with the job's marker; None where it is too long for one."""
        marker = f"{MARKER_START}{job_id}"
        if self.description is None:
            return marker
        marked = f"{self.description}.{marker}"
        return marked if len(marked) <= MAX_DESCRIPTION else None


def _fits(description: str | None, more: int) -> bool:
    return len(description or "") + more <= MAX_DESCRIPTION


def is_marked(tags: Mapping[str, str], job_id: str) -> bool:
    return tags.get(MARKER_TAG) == job_id
