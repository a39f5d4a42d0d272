"""DataRobot's custom models: what is tested, built, converted and explained there (API v2)."""

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
from trainbell.providers.datarobot.account_calls import CALLS
from trainbell.providers.datarobot.parameters import (
    AssignParameters,
    BuildParameters,
    ConvertParameters,
    ExplainParameters,
    FeatureImpactParameters,
    ImportParameters,
    ModelTestParameters,
)


def build(context: ProviderContext) -> Provider:
    """Raises ConfigInvalid where the secret or the base URL cannot be used."""
    # Here, because whoever only lists providers needs no HTTP client.
    from trainbell.providers.datarobot.provider import DataRobot

    return DataRobot.from_context(context)


def _text(parameters: Mapping[str, Any], key: str) -> str | None:
    value = parameters.get(key)
    return value if isinstance(value, str) else None


def _dataset_of(parameters: Mapping[str, Any]) -> str | None:
    return _text(parameters, "datasetId")


def _model_of(parameters: Mapping[str, Any]) -> str | None:
    return _text(parameters, "customModelId")


_KINDS = (
    Kind(name="test", title="Test a version on a dataset", parameters=ModelTestParameters),
    Kind(
        name="build_dependencies",
        title="Build a version's dependencies",
        parameters=BuildParameters,
    ),
    Kind(name="convert", title="Convert a version to a JAR", parameters=ConvertParameters),
    Kind(
        name="feature_impact",
        title="Compute a version's feature impact",
        parameters=FeatureImpactParameters,
        can_cancel=False,
        has_logs=False,
    ),
    Kind(
        name="explain",
        title="Initialize prediction explanations",
        parameters=ExplainParameters,
        can_cancel=False,
        has_logs=False,
    ),
    Kind(
        name="assign_training_data",
        title="Assign training data to a model",
        parameters=AssignParameters,
        can_cancel=False,
        has_logs=False,
    ),
    Kind(
        name="import_version",
        title="Make a version from a repository",
        parameters=ImportParameters,
        can_cancel=False,
        has_logs=False,
    ),
)

PROVIDER = ProviderSpec(
    name="datarobot",
    title="DataRobot custom models",
    kinds={kind.name: kind for kind in _KINDS},
    service=ServiceStatus(
        state=ServiceState.LIVE,
        as_of="2026-05-31",
        note="Documented and released continually; the routes trainingData and withTrainingData "
        "are deprecated.",
        source="https://docs.datarobot.com/en/docs/api/reference/public-api/custom_models.html",
    ),
    build=build,
    default_base_url="https://app.datarobot.com/api/v2",
    has_logs=True,
    dataset_of=_dataset_of,
    model_of=_model_of,
    calls=CALLS,
)
