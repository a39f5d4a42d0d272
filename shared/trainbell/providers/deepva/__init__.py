"""DeepVA's training resource: faces and landmarks (docs.deepva.com/core-resources/training)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainbell.ports import (
    Kind,
    Provider,
    ProviderContext,
    ProviderSpec,
    ServiceState,
    ServiceStatus,
)
from trainbell.providers.deepva.account_calls import CALLS
from trainbell.providers.deepva.parameters import TrainParameters


def build(context: ProviderContext) -> Provider:
    """Raises ConfigInvalid where the secret or the base URL cannot be used."""
    # Here, because whoever only lists providers needs no HTTP client.
    from trainbell.providers.deepva.provider import DeepVA

    return DeepVA.from_context(context)


def _text(parameters: Mapping[str, Any], key: str) -> str | None:
    value = parameters.get(key)
    return value if isinstance(value, str) else None


def _dataset_of(parameters: Mapping[str, Any]) -> str | None:
    return _text(parameters, "source_dataset_id")


def _model_of(parameters: Mapping[str, Any]) -> str | None:
    return _text(parameters, "output_model_name")


PROVIDER = ProviderSpec(
    name="deepva",
    title="DeepVA",
    kinds={
        "train": Kind(name="train", title="Train a model on a dataset", parameters=TrainParameters)
    },
    service=ServiceStatus(
        state=ServiceState.LIVE,
        as_of="2026-11-20",
        note="Documented and extended in recent years; no retirement notice is known.",
        source="https://docs.deepva.com/core-resources/training",
    ),
    build=build,
    default_base_url="https://api.deepva.com/api/v1",
    can_cancel=False,
    has_progress=True,
    dataset_of=_dataset_of,
    model_of=_model_of,
    calls=CALLS,
)
