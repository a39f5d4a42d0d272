"""Amazon SageMaker training jobs (docs.aws.amazon.com/sagemaker/latest/APIReference)."""

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
from trainbell.providers.sagemaker.account_calls import CALLS
from trainbell.providers.sagemaker.options import SageMakerOptions
from trainbell.providers.sagemaker.parameters import TrainParameters

DATASET_NAME_AT_MOST = 255


def build(context: ProviderContext) -> Provider:
    """Raises ConfigInvalid where the secret, the options or the region cannot be used."""
    # Here, because whoever only lists providers needs no AWS client.
    from trainbell.providers.sagemaker.provider import SageMaker

    return SageMaker.from_context(context)


def _dataset_of(parameters: Mapping[str, Any]) -> str | None:
    """The place of the first channel in S3, where it has one."""
    try:
        uri = parameters["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]
    except (LookupError, TypeError):
        return None
    return uri if isinstance(uri, str) and len(uri) <= DATASET_NAME_AT_MOST else None


PROVIDER = ProviderSpec(
    name="sagemaker",
    title="Amazon SageMaker",
    kinds={"train": Kind(name="train", title="Run a training job", parameters=TrainParameters)},
    service=ServiceStatus(
        state=ServiceState.LIVE,
        as_of="2026-11-20",
        note="Live. The next home of those who trained with Lookout for Vision (ended 2025-10-31).",
        source="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html",
    ),
    repeat_is_harmless=True,
    build=build,
    options=SageMakerOptions,
    needs_url=False,
    needs_secret=False,
    has_logs=True,
    dataset_of=_dataset_of,
    calls=CALLS,
    further_urls=("logs_url",),
    hosts=(
        "api.sagemaker.{region}.amazonaws.com",
        "api.sagemaker.{region}.amazonaws.com.cn",
        "api-fips.sagemaker.{region}.amazonaws.com",
        "logs.{region}.amazonaws.com",
        "logs.{region}.amazonaws.com.cn",
        # Interface endpoints of somebody's VPC, behind which is the same service.
        "*.api.sagemaker.{region}.vpce.amazonaws.com",
        "*.logs.{region}.vpce.amazonaws.com",
    ),
    finds_credentials=True,
)
