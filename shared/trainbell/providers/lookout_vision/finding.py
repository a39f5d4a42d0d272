"""Looks up the model version that a start made whose answer was lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from trainbell.errors import ProviderRejected, ProviderReplyInvalid
from trainbell.ports import StartOrder
from trainbell.providers.lookout_vision.client import (
    NOT_FOUND,
    PROVIDER_NAME,
    LookoutVisionClient,
)
from trainbell.providers.lookout_vision.parameters import TrainParameters, is_marked
from trainbell.providers.lookout_vision.vendor_models import Model

MAX_PAGES = 100
MAX_TAG_LOOKUPS = 200
CLOCKS_APART = timedelta(hours=1)
"""How far the service's clock and ours may differ; AWS refuses signatures long before."""


def started_version(
    client: LookoutVisionClient, order: StartOrder, given: TrainParameters
) -> Model | None:
    """The version with this order's description and marker, from all pages of the project.

    Raises:
        ProviderReplyInvalid: more models than can be looked through.
    """
    marked = given.marked_description(order.job_id)
    if marked is not None:
        return next(_described(client, given.project_name, marked), None)
    same = _described(client, given.project_name, given.description)
    lookups = 0
    for model in same:
        # Tags have to be asked for one by one, so what was there before the order is left out.
        if _is_older(model, order):
            continue
        lookups += 1
        if lookups > MAX_TAG_LOOKUPS:
            raise _too_many(given.project_name)
        if is_marked(_tags(client, model), order.job_id):
            return model
    return None


def _described(
    client: LookoutVisionClient, project: str, description: str | None
) -> Iterator[Model]:
    """All of this project that are so described; none where the project itself is gone."""
    token: str | None = None
    for _ in range(MAX_PAGES):
        try:
            page = client.models(project, token)
        except ProviderRejected as error:
            # Only the service's own word proves that there is nothing.
            if error.vendor_code == NOT_FOUND:
                return
            raise
        yield from (model for model in page.models if model.description == description)
        token = page.next_token
        if not token:
            return
    raise _too_many(project)


def _tags(client: LookoutVisionClient, model: Model) -> dict[str, str]:
    if not model.model_arn:
        raise ProviderReplyInvalid(
            f"model version {model.model_version} is listed without an ARN",
            provider=PROVIDER_NAME,
            operation="list models",
        )
    return client.tags(model.model_arn)


def _is_older(model: Model, order: StartOrder) -> bool:
    made_at, requested_at = model.creation_timestamp, order.requested_at
    return bool(made_at and requested_at and made_at < requested_at - CLOCKS_APART)


def _too_many(project: str) -> ProviderReplyInvalid:
    return ProviderReplyInvalid(
        f"project {project} has too many models to look for a lost start; delete old ones there",
        provider=PROVIDER_NAME,
        operation="list models",
    )
