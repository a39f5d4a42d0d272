"""Einstein beside its jobs: a dataset and its models, one training whole, a model's deletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from trainbell.ports.account_calls import AccountCall, table
from trainbell.providers.einstein.parameters import DatasetId, ModelId, Service
from trainbell.providers.orders import Parameters
from trainbell.providers.pages import Page, page_of

if TYPE_CHECKING:  # What only lists the calls needs no HTTP client.
    from trainbell.providers.einstein.provider import Einstein


class OfDataset(Parameters):
    service: Service = "vision"
    dataset: DatasetId


class ModelsPage(Page):
    service: Service = "vision"
    dataset: DatasetId


class OfModel(Parameters):
    service: Service = "vision"
    model: Annotated[ModelId, Field(description="The model's id.")]


def get_dataset(einstein: Einstein, given: OfDataset) -> Mapping[str, Any]:
    return einstein.client.dataset(given.service, str(given.dataset)).model_dump(mode="json")


def list_models(einstein: Einstein, given: ModelsPage) -> Mapping[str, Any]:
    page = einstein.client.models(
        given.service, str(given.dataset), offset=given.offset, count=given.limit
    )
    return page_of(page.data, given)


def get_model(einstein: Einstein, given: OfModel) -> Mapping[str, Any]:
    training, _ = einstein.client.training(given.service, given.model)
    return training.model_dump(mode="json")


def delete_model(einstein: Einstein, given: OfModel) -> Mapping[str, Any]:
    einstein.delete({"service": given.service, "id": given.model})
    return {"model": given.model, "deleted": True}


CALLS = table(
    AccountCall(name="get_dataset", title="Show a dataset", parameters=OfDataset, run=get_dataset),
    AccountCall(
        name="list_models",
        title="List the models of a dataset",
        parameters=ModelsPage,
        run=list_models,
    ),
    AccountCall(
        name="get_model",
        title="Show a model with its latest training",
        parameters=OfModel,
        run=get_model,
    ),
    AccountCall(
        name="delete_model",
        title="Delete a model that is not in training",
        parameters=OfModel,
        run=delete_model,
        changes=True,
    ),
)
