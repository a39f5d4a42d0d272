"""Settings of a connection to SageMaker, besides its URL and secret."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

NAME_AT_MOST = 63
JOB_ID_LENGTH = 26
CHECK = "is-this-connection-working"
"""Instead of a job's id, and as long: the cloud's roles allow no other names."""


class SageMakerOptions(BaseModel):
    """`name_prefix` goes before the job's id in the training job's name. In the cloud it is left
    out: the template's roles and its event rule know only names that begin with the stack's."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    region: str | None = Field(
        default=None,
        pattern=r"^[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}$",
        description="The AWS region. Without it, the region of the environment or AWS profile.",
    )
    name_prefix: str | None = Field(
        default=None,
        max_length=NAME_AT_MOST - JOB_ID_LENGTH,
        pattern=r"^([a-zA-Z0-9](-*[a-zA-Z0-9])*-)?$",
        description="Begins the names of training jobs; the job's id follows. Without it, this "
        "Trainbell's own name and a hyphen.",
    )
    logs_url: str | None = Field(
        default=None,
        max_length=2048,
        pattern=r"^https?://[^\s/@]+(/\S*)?$",
        description="Endpoint of CloudWatch Logs, where it is not AWS's public one.",
    )
