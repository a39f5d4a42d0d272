"""Salesforce Einstein Vision and Einstein Language, API version 2 (metamind.readme.io)."""

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
from trainbell.providers.einstein.account_calls import CALLS
from trainbell.providers.einstein.parameters import (
    EinsteinOptions,
    RetrainParameters,
    TrainParameters,
)


def build(context: ProviderContext) -> Provider:
    """Raises ConfigInvalid where the secret, the options or the base URL cannot be used."""
    # Here, because whoever only lists providers needs no HTTP client.
    from trainbell.providers.einstein.provider import Einstein

    return Einstein.from_context(context)


def _dataset_of(parameters: Mapping[str, Any]) -> str | None:
    """Of a retraining only the service knows it; there the caller may name the job's `dataset`."""
    value = parameters.get("datasetId")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _model_of(parameters: Mapping[str, Any]) -> str | None:
    value = parameters.get("modelId") or parameters.get("name")
    return value if isinstance(value, str) else None


PROVIDER = ProviderSpec(
    name="einstein",
    title="Salesforce Einstein Vision and Language",
    kinds={
        "train": Kind(
            name="train", title="Train a new model on a dataset", parameters=TrainParameters
        ),
        "retrain": Kind(
            name="retrain",
            title="Train a model anew on its dataset, under its id",
            parameters=RetrainParameters,
            one_active_per_model=True,
        ),
    },
    service=ServiceStatus(
        state=ServiceState.RETIRED,
        as_of="2023-07-31",
        note='Vision: "As of July 31, 2023, Salesforce no longer offers the Object Detection and '
        "Image Classification APIs\" (Heroku's blog). Language: no dated notice was found; a "
        "third-party glossary of May 2026 calls it retired since late 2024.",
        source="https://blog.heroku.com/einstein-vision-image-recognition",
    ),
    build=build,
    options=EinsteinOptions,
    default_base_url="https://api.einstein.ai",
    can_cancel=False,
    has_progress=True,
    one_active_per_dataset=True,
    settle_seconds=120.0,
    dataset_of=_dataset_of,
    model_of=_model_of,
    calls=CALLS,
)
