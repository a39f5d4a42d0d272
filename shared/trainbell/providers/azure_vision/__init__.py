"""Azure AI Vision, custom models (Image Analysis 4.0, api-version 2023-04-01-preview)."""

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
from trainbell.providers.azure_vision.account_calls import CALLS
from trainbell.providers.azure_vision.parameters import EvaluateParameters, TrainParameters


def build(context: ProviderContext) -> Provider:
    """Raises ConfigInvalid where the secret or the base URL cannot be used."""
    # Here, because whoever only lists providers needs no HTTP client.
    from trainbell.providers.azure_vision.provider import AzureVision

    return AzureVision.from_context(context)


def _text(parameters: Mapping[str, Any], *keys: str) -> str | None:
    values = (parameters.get(key) for key in keys)
    return next((value for value in values if isinstance(value, str)), None)


def _dataset_of(parameters: Mapping[str, Any]) -> str | None:
    return _text(parameters, "training_dataset_name", "test_dataset_name")


def _model_of(parameters: Mapping[str, Any]) -> str | None:
    return _text(parameters, "model_name")


PROVIDER = ProviderSpec(
    name="azure_vision",
    title="Azure AI Vision",
    kinds={
        "train": Kind(name="train", title="Train a custom model", parameters=TrainParameters),
        "evaluate": Kind(
            name="evaluate",
            title="Evaluate a custom model on a test dataset",
            parameters=EvaluateParameters,
            can_cancel=False,
        ),
    },
    service=ServiceStatus(
        state=ServiceState.RETIRED,
        as_of="2026-11-20",
        note=(
            "The preview of model customization was announced to end on 10 January 2025, later "
            "moved to 31 March 2025; after that its calls fail. Microsoft names Azure AI Custom "
            "Vision as the successor."
        ),
        source=(
            "https://learn.microsoft.com/en-us/azure/ai-services/computer-vision/"
            "concept-model-customization"
        ),
    ),
    repeat_is_harmless=True,
    build=build,
    dataset_of=_dataset_of,
    model_of=_model_of,
    calls=CALLS,
    # The resource's own name stands in front; no customer's code runs at these.
    hosts=("*.cognitiveservices.azure.com", "*.api.cognitive.microsoft.com"),
)
