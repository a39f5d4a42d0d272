"""Lookout for Vision beside its jobs: projects, model versions, tags, and a version's deletion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from trainbell.ports.account_calls import AccountCall, table
from trainbell.providers.orders import Parameters

if TYPE_CHECKING:  # What only lists the calls needs no HTTP client.
    from trainbell.providers.lookout_vision.provider import LookoutVision

ProjectName = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[a-zA-Z0-9_\-]+$")]
Token = Annotated[str, Field(min_length=1, max_length=2048)]


class ProjectsPage(Parameters):
    next_token: Token | None = None


class ModelsPage(ProjectsPage):
    project: ProjectName


class OfVersion(Parameters):
    project: ProjectName
    version: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,9}$", description="Its number.")]


class OfResource(Parameters):
    arn: Annotated[str, Field(min_length=1, max_length=1011, pattern=r"^arn:\S+$")]


def list_projects(lookout: LookoutVision, given: ProjectsPage) -> Mapping[str, Any]:
    page = lookout.client.projects(given.next_token)
    return _page(page.projects, page.next_token)


def list_models(lookout: LookoutVision, given: ModelsPage) -> Mapping[str, Any]:
    page = lookout.client.models(given.project, given.next_token)
    models = [model.model_dump(mode="json") for model in page.models]
    return _page(models, page.next_token, project=given.project)


def get_model(lookout: LookoutVision, given: OfVersion) -> Mapping[str, Any]:
    return lookout.client.model(given.project, given.version).model_dump(mode="json")


def delete_model(lookout: LookoutVision, given: OfVersion) -> Mapping[str, Any]:
    """The service deletes in its own time: until then the version is DELETING."""
    lookout.delete(given.model_dump())
    return {**given.model_dump(), "deleted": True}


def list_tags(lookout: LookoutVision, given: OfResource) -> Mapping[str, Any]:
    return {"tags": lookout.client.tags(given.arn)}


def _page(items: Sequence[Mapping[str, Any]], token: str | None, **same: str) -> Mapping[str, Any]:
    return {
        "items": list(items),
        "next": {**same, "next_token": token} if token else None,
    }


CALLS = table(
    AccountCall(
        name="list_projects",
        title="List the projects of the account and region",
        parameters=ProjectsPage,
        run=list_projects,
    ),
    AccountCall(
        name="list_models",
        title="List the model versions of a project",
        parameters=ModelsPage,
        run=list_models,
    ),
    AccountCall(
        name="get_model", title="Describe a model version", parameters=OfVersion, run=get_model
    ),
    AccountCall(
        name="delete_model",
        title="Delete a model version that is neither training nor hosted",
        parameters=OfVersion,
        run=delete_model,
        changes=True,
    ),
    AccountCall(
        name="list_tags", title="List the tags of a model", parameters=OfResource, run=list_tags
    ),
)
