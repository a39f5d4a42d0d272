"""Amazon Lookout for Vision, API 2020-11-20: model versions trained in projects."""

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
from trainbell.providers.lookout_vision.account_calls import CALLS
from trainbell.providers.lookout_vision.parameters import ConnectionOptions, TrainParameters


def build(context: ProviderContext) -> Provider:
    """Raises ConfigInvalid where the options, the secret or the base URL cannot be used."""
    # Here, because whoever only lists providers needs no HTTP client.
    from trainbell.providers.lookout_vision.provider import LookoutVision

    return LookoutVision.from_context(context)


def _project_of(parameters: Mapping[str, Any]) -> str | None:
    """A project holds one line of model versions and the datasets they are trained on."""
    name = parameters.get("ProjectName")
    return name if isinstance(name, str) else None


PROVIDER = ProviderSpec(
    name="lookout_vision",
    title="Amazon Lookout for Vision",
    kinds={
        "train": Kind(
            name="train",
            title="Train a new version of a project's model",
            parameters=TrainParameters,
        )
    },
    service=ServiceStatus(
        state=ServiceState.RETIRED,
        as_of="2025-10-31",
        note="AWS ended support on 31 October 2025: neither console nor resources are left. "
        "botocore ships no model of this API from 1.40.61 on.",
        source="https://docs.aws.amazon.com/lookout-for-vision/latest/developer-guide/"
        "model-train.html",
    ),
    repeat_is_harmless=True,
    build=build,
    options=ConnectionOptions,
    needs_url=False,
    needs_secret=False,
    can_cancel=False,
    settle_seconds=60.0,
    dataset_of=_project_of,
    model_of=_project_of,
    calls=CALLS,
    hosts=(
        "lookoutvision.{region}.amazonaws.com",
        "*.lookoutvision.{region}.vpce.amazonaws.com",
    ),
    finds_credentials=True,
)
