"""Why Einstein refused a start: its own words, and what a look at the dataset adds to them.

The guide says when a start is refused (the dataset is being trained, is deleted or about to be; the
model is deleted) but neither the code nor the message. So no message is interpreted: the dataset is
looked at instead.
"""

from __future__ import annotations

from typing import NoReturn

from trainbell.domain.order import WhenBusy
from trainbell.errors import (
    ProviderError,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderUnavailable,
)
from trainbell.providers.einstein.client import EinsteinClient
from trainbell.providers.einstein.finding import every_model
from trainbell.providers.einstein.retraining import ACTIVE
from trainbell.providers.einstein.status_map import STATUS_MAP
from trainbell.providers.einstein.vendor_models import Training

PENDING = "DELETE_PENDING"


def explain(
    client: EinsteinClient,
    service: str,
    dataset_id: str,
    refusal: ProviderRejected,
    when_busy: WhenBusy,
) -> NoReturn:
    """Raise what the refusal of a start on this dataset comes to.

    Raises:
        ProviderUnavailable: the dataset is being trained, and the caller wants to wait. Any other
            error of reading what might tell so, where the caller would wait.
        ProviderRejected: anything else, explained as far as possible.
    """
    try:
        busy = _active(client, service, dataset_id)
        why = None if busy else _state_of(client, service, dataset_id)
    except ProviderError as exc:
        if when_busy is WhenBusy.WAIT and not isinstance(exc, ProviderReplyInvalid):
            raise  # It may be busy; a refusal for good will be repeated.
        raise refusal from exc
    if busy is not None:
        raise_busy(busy, when_busy, refusal)
    raise _with(refusal, why) if why else refusal


def raise_busy(
    busy: Training, when_busy: WhenBusy, refusal: ProviderRejected | None = None
) -> NoReturn:
    """Raises ProviderUnavailable where the caller wants to wait, else ProviderRejected."""
    why = (
        f"dataset {busy.dataset_id} has one training at a time, and model {busy.model_id} is "
        f"{busy.status}"
    )
    if when_busy is WhenBusy.WAIT:
        raise ProviderUnavailable(
            f"{why}; this one waits its turn", provider="Einstein", operation="start a training"
        ) from refusal
    if refusal is not None:
        raise _with(refusal, why) from refusal
    raise ProviderRejected(why, provider="Einstein", operation="start a training")


def _active(client: EinsteinClient, service: str, dataset_id: str) -> Training | None:
    try:
        models = every_model(client, service, dataset_id)
        return next((model for model in models if STATUS_MAP.get(model.status) in ACTIVE), None)
    except ProviderJobMissing:
        return None


def _state_of(client: EinsteinClient, service: str, dataset_id: str) -> str | None:
    try:
        dataset = client.dataset(service, dataset_id)
    except ProviderJobMissing:
        return f"dataset {dataset_id} does not exist there; it may have been deleted"
    if dataset.status_msg == PENDING:
        return f"dataset {dataset_id} is being deleted ({PENDING})"
    return None


def _with(refusal: ProviderRejected, why: str) -> ProviderRejected:
    return ProviderRejected(
        f"{refusal}; {why}",
        provider=refusal.provider,
        operation=refusal.operation,
        http_status=refusal.http_status,
        vendor_code=refusal.vendor_code,
        request_id=refusal.request_id,
        details=refusal.details,
    )
