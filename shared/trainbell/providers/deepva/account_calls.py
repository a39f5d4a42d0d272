"""DeepVA beside its jobs: its list of trainings, one of them whole, and its deletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from trainbell.ports.account_calls import AccountCall, table
from trainbell.providers.orders import Parameters
from trainbell.providers.pages import Page, page_of

if TYPE_CHECKING:  # What only lists the calls needs no HTTP client.
    from trainbell.providers.deepva.provider import DeepVA


class OfTraining(Parameters):
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$", description="The training's id.")]


def list_trainings(deepva: DeepVA, given: Page) -> Mapping[str, Any]:
    page = deepva.client.trainings(offset=given.offset, limit=given.limit)
    return page_of(page.data, given, total=page.total)


def get_training(deepva: DeepVA, given: OfTraining) -> Mapping[str, Any]:
    """With the input dataset and the output model as the objects that they are (D6, D3)."""
    return deepva.client.training(given.id).model_dump(mode="json")


def delete_training(deepva: DeepVA, given: OfTraining) -> Mapping[str, Any]:
    deepva.delete({"id": given.id})
    return {"id": given.id, "deleted": True}


CALLS = table(
    AccountCall(
        name="list_trainings",
        title="List the trainings of the account",
        parameters=Page,
        run=list_trainings,
    ),
    AccountCall(
        name="get_training",
        title="Show a training, with its dataset and its model",
        parameters=OfTraining,
        run=get_training,
    ),
    AccountCall(
        name="delete_training",
        title="Delete an ended training; its model stays",
        parameters=OfTraining,
        run=delete_training,
        changes=True,
    ),
)
