"""SageMaker beside its jobs: any training job of the account and region, whoever started it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from trainbell.ports.account_calls import AccountCall, table
from trainbell.providers.orders import Parameters

if TYPE_CHECKING:  # What only lists the calls needs no AWS client.
    from trainbell.providers.sagemaker.provider import SageMaker


class OfTrainingJob(Parameters):
    name: Annotated[
        str,
        Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$", description="Of the training job."),
    ]


class TrainingJobsPage(Parameters):
    """The service takes a page first and filters it then: a page may be short, or empty, though
    more follow."""

    name_contains: Annotated[str, Field(max_length=63, pattern=r"^[a-zA-Z0-9\-]+$")] | None = None
    status: Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped"] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    next_token: Annotated[str, Field(max_length=8192)] | None = None


def list_training_jobs(sagemaker: SageMaker, given: TrainingJobsPage) -> Mapping[str, Any]:
    wanted = {
        "NameContains": given.name_contains,
        "StatusEquals": given.status,
        "MaxResults": given.limit,
        "NextToken": given.next_token,
    }
    page = sagemaker.client.training_jobs(
        {key: value for key, value in wanted.items() if value is not None}
    )
    asked = given.model_dump(exclude_none=True)
    return {
        "items": [job.model_dump(mode="json") for job in page.TrainingJobSummaries],
        "next": {**asked, "next_token": page.NextToken} if page.NextToken else None,
    }


def get_training_job(sagemaker: SageMaker, given: OfTrainingJob) -> Mapping[str, Any]:
    """As the service describes it, by its own names."""
    return sagemaker.client.training_job(given.name).model_dump(mode="json", exclude_unset=True)


def stop_training_job(sagemaker: SageMaker, given: OfTrainingJob) -> Mapping[str, Any]:
    """The training gets 120 seconds to save what it has: until then the job is Stopping."""
    sagemaker.client.stop_training_job(given.name)
    return {"name": given.name, "stopping": True}


def delete_training_job(sagemaker: SageMaker, given: OfTrainingJob) -> Mapping[str, Any]:
    sagemaker.client.delete_training_job(given.name)
    return {"name": given.name, "deleted": True}


CALLS = table(
    AccountCall(
        name="list_training_jobs",
        title="List the training jobs of the account and region",
        parameters=TrainingJobsPage,
        run=list_training_jobs,
    ),
    AccountCall(
        name="get_training_job",
        title="Describe a training job",
        parameters=OfTrainingJob,
        run=get_training_job,
    ),
    AccountCall(
        name="stop_training_job",
        title="Stop a training job that no job of Trainbell's is",
        parameters=OfTrainingJob,
        run=stop_training_job,
        changes=True,
    ),
    AccountCall(
        name="delete_training_job",
        title="Delete an ended training job; what it made in S3 stays",
        parameters=OfTrainingJob,
        run=delete_training_job,
        changes=True,
    ),
)
