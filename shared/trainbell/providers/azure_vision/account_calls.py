"""Azure AI Vision beside its jobs: its models and evaluations, and their deletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from trainbell.ports.account_calls import AccountCall, table
from trainbell.providers.azure_vision.parameters import Target
from trainbell.providers.orders import Parameters
from trainbell.providers.pages import Page, page_of

if TYPE_CHECKING:  # What only lists the calls needs no HTTP client.
    from trainbell.providers.azure_vision.provider import AzureVision

PAGE_AT_MOST = 30
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$", max_length=255)]


class ModelsPage(Page):
    """The service gives at most 30 at once."""

    limit: Annotated[int, Field(ge=1, le=PAGE_AT_MOST)] = PAGE_AT_MOST


class OfModel(Parameters):
    model: Name


class OfEvaluation(OfModel):
    evaluation: Name


def list_models(azure: AzureVision, given: ModelsPage) -> Mapping[str, Any]:
    """A short page is no proof of the end, an empty one is."""
    return page_of(azure.client.models(skip=given.offset, top=given.limit).value, given)


def get(azure: AzureVision, given: OfModel) -> Mapping[str, Any]:
    return azure.client.get(Target(**given.model_dump())).model_dump(mode="json")


def delete(azure: AzureVision, given: OfModel) -> Mapping[str, Any]:
    azure.delete(given.model_dump())
    return {**given.model_dump(), "deleted": True}


CALLS = table(
    AccountCall(
        name="list_models",
        title="List the models of the resource",
        parameters=ModelsPage,
        run=list_models,
    ),
    AccountCall(name="get_model", title="Show a model", parameters=OfModel, run=get),
    AccountCall(
        name="delete_model",
        title="Delete a model that has ended, with its evaluations",
        parameters=OfModel,
        run=delete,
        changes=True,
    ),
    AccountCall(
        name="get_evaluation", title="Show an evaluation", parameters=OfEvaluation, run=get
    ),
    AccountCall(
        name="delete_evaluation",
        title="Delete an evaluation that has ended",
        parameters=OfEvaluation,
        run=delete,
        changes=True,
    ),
)
