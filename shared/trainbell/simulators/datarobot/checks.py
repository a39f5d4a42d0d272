"""The documented checks of fields: types, lengths, ranges and words, all problems at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trainbell.simulators.datarobot.answers import Refused

Rule = Callable[[Any], str | None]
MIN_MEMORY, MAX_MEMORY = 134_217_728, 15_032_385_536
TARGET_TYPES = (
    "Binary",
    "Regression",
    "Multiclass",
    "Anomaly",
    "Transform",
    "TextGeneration",
    "GeoPoint",
    "Unstructured",
    "VectorDatabase",
)
WITHOUT_TARGET = ("Anomaly", "Unstructured", "Transform", "VectorDatabase")


def text(most: int | None = None, least: int = 0) -> Rule:
    def rule(value: Any) -> str | None:
        if not isinstance(value, str):
            return "value is not a string"
        if most is not None and len(value) > most:
            return f"String is longer than {most} characters"
        return "blank value is not allowed" if len(value) < least else None

    return rule


def integer(least: int, most: int) -> Rule:
    def rule(value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return "value is not an int"
        return None if least <= value <= most else f"value is not from {least} to {most}"

    return rule


def number(least: float, most: float) -> Rule:
    def rule(value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "value is not a number"
        return None if least <= value <= most else f"value is not from {least} to {most}"

    return rule


def one_of(*words: str) -> Rule:
    return lambda value: None if value in words else f"value is none of {list(words)}"


def boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "value should be True or False"


def labels(value: Any) -> str | None:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return "value is not a list of strings"
    return "list length is greater than 100" if len(value) > 100 else None


MODEL_FIELDS: Mapping[str, Rule] = {
    "name": text(255, 1),
    "description": text(10_000),
    "language": text(500),
    "targetName": text(500),
    "positiveClassLabel": text(500),
    "negativeClassLabel": text(500),
    "userProvidedId": text(100),
    "classLabels": labels,
    "predictionThreshold": number(0, 1),
    "desiredMemory": integer(MIN_MEMORY, MAX_MEMORY),
    "maximumMemory": integer(MIN_MEMORY, MAX_MEMORY),
    "replicas": integer(1, 8),
    "requiresHa": boolean,
    "networkEgressPolicy": one_of("NONE", "DR_API_ACCESS", "PUBLIC"),
    "isTrainingDataForVersionsPermanentlyEnabled": boolean,
}
CREATE_FIELDS: Mapping[str, Rule] = {
    **MODEL_FIELDS,
    "customModelType": one_of("training", "inference"),
    "targetType": one_of(*TARGET_TYPES),
    "supportsBinaryClassification": boolean,
    "supportsRegression": boolean,
    "calibratePredictions": boolean,
}
TEST_FIELDS: Mapping[str, Rule] = {
    "customModelId": text(least=1),
    "customModelVersionId": text(least=1),
    "datasetId": text(least=1),
    "datasetVersionId": text(least=1),
    "environmentId": text(least=1),
    "environmentVersionId": text(least=1),
    "resourceBundleId": text(least=1),
    "desiredMemory": integer(MIN_MEMORY, MAX_MEMORY),
    "maximumMemory": integer(MIN_MEMORY, MAX_MEMORY),
    "replicas": integer(1, 8),
    "requiresHa": boolean,
    "networkEgressPolicy": one_of("NONE", "PUBLIC"),
}
CONFIGURATION: Mapping[str, Rule] = {
    "errorCheck": one_of("fail", "skip"),
    "longRunningService": one_of("fail"),
    "nullValueImputation": one_of("skip", "warn", "fail"),
    "sideEffects": one_of("skip", "warn", "fail"),
}
DATA_FIELDS: Mapping[str, Rule] = {
    "datasetId": text(least=1),
    "datasetVersionId": text(least=1),
    "datasetName": text(255),
    "partitionColumn": text(500),
}


def check(given: Mapping[str, Any], rules: Mapping[str, Rule], *needed: str) -> None:
    """Raises Refused (422) with every problem. A null is as good as nothing."""
    errors = {name: "is required" for name in needed if given.get(name) is None}
    for name, rule in rules.items():
        if given.get(name) is not None and (problem := rule(given[name])):
            errors[name] = problem
    if errors:
        raise Refused(422, "Invalid field data", errors=errors)


def check_memory(given: Mapping[str, Any]) -> None:
    if given.get("resourceBundleId") and (given.get("desiredMemory") or given.get("maximumMemory")):
        raise Refused(422, "resourceBundleId is incompatible with desiredMemory and maximumMemory.")
