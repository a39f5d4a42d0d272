"""The documented checks of request bodies. Each gives every flaw that it finds.

Names of properties are bound whatever their case: the documentation writes camelCase, Microsoft's
own client sends PascalCase.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from trainbell.simulators.azure_vision.errors import Flaw

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]*")
MAX_BUDGET_HOURS = {"Generic-Classifier": 336, "Generic-Detector": 1344, "Product-Recognizer": 336}
KIND_OF_ANNOTATIONS = {
    "imageClassification": "Generic-Classifier",
    "imageObjectDetection": "Generic-Detector",
}
_TRAINING = ("timeBudgetInHours", "trainingDatasetName", "modelKind")
_DATASET = ("annotationKind", "annotationFileUris", "authentication", "customProperties")
Given = dict[str, Any]


def named(name: str) -> list[Flaw]:
    if NAME.fullmatch(name):
        return []
    return [Flaw("name", f"The name must match ^{NAME.pattern}$.", "InvalidName")]


def model(body: Any, annotations: Mapping[str, str]) -> tuple[Given, list[Flaw]]:
    """Body of `PUT /models/{name}`. `annotations`: the annotation kind of each known dataset."""
    given = _bound(body, ("trainingParameters", "evaluationParameters"))
    if not isinstance(given.get("trainingParameters"), dict):
        return given, [Flaw("trainingParameters", "It is required.", "MissingValue")]
    training = _bound(given["trainingParameters"], _TRAINING)
    given["trainingParameters"] = training
    flaws = _text_flaws(training, "trainingParameters", "trainingDatasetName")
    kind = training.get("modelKind")
    if kind is not None and (not isinstance(kind, str) or kind not in MAX_BUDGET_HOURS):
        known = ", ".join(MAX_BUDGET_HOURS)
        flaws.append(Flaw("trainingParameters.modelKind", f"It must be one of {known}."))
        return given, flaws
    annotated = annotations.get(str(training.get("trainingDatasetName")), "imageClassification")
    flaws += _budget_flaws(training, kind or KIND_OF_ANNOTATIONS[annotated])
    if "evaluationParameters" in given:
        given["evaluationParameters"], more = _evaluation(given["evaluationParameters"])
        flaws += more
    return given, flaws


def evaluation(body: Any) -> tuple[Given, list[Flaw]]:
    """Body of `PUT /models/{name}/evaluations/{evaluationName}`."""
    given = _bound(body, ("evaluationParameters",))
    given["evaluationParameters"], flaws = _evaluation(given.get("evaluationParameters"))
    return given, flaws


def dataset(body: Any) -> tuple[Given, list[Flaw]]:
    """Body of `PUT /datasets/{name}`."""
    given = _bound(body, _DATASET)
    flaws = []
    kind = given.get("annotationKind")
    if not isinstance(kind, str) or kind not in KIND_OF_ANNOTATIONS:
        known = ", ".join(KIND_OF_ANNOTATIONS)
        flaws.append(Flaw("annotationKind", f"It must be one of {known}."))
    uris = given.get("annotationFileUris")
    if not isinstance(uris, list) or not uris:
        flaws.append(Flaw("annotationFileUris", "At least one is required.", "MissingValue"))
    authentication = given.get("authentication") or {"kind": "managedIdentity"}
    if not isinstance(authentication, dict) or not _is_authentication(authentication):
        flaws.append(Flaw("authentication", "It is managedIdentity, or sas with a sasToken."))
    return given, flaws


def bad_annotation_uri(given: Given) -> str | None:
    """The first annotation file that is no absolute URI of a blob."""
    for uri in given["annotationFileUris"]:
        parts = urlsplit(uri) if isinstance(uri, str) else None
        if parts is None or parts.scheme != "https" or not parts.netloc or len(parts.path) < 2:
            return str(uri)
    return None


def _is_authentication(given: Given) -> bool:
    kind = given.get("kind")
    return kind == "managedIdentity" or (kind == "sas" and bool(given.get("sasToken")))


def _evaluation(body: Any) -> tuple[Given, list[Flaw]]:
    given = _bound(body, ("testDatasetName",))
    return given, _text_flaws(given, "evaluationParameters", "testDatasetName")


def _bound(body: Any, names: tuple[str, ...]) -> Given:
    """The properties of these names, in their order; unknown ones are ignored."""
    if not isinstance(body, dict):
        return {}
    by_name = {str(key).lower(): value for key, value in body.items()}
    values = {name: by_name.get(name.lower()) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _text_flaws(given: Given, place: str, name: str) -> list[Flaw]:
    value = given.get(name)
    if isinstance(value, str) and value:
        return []
    return [Flaw(f"{place}.{name}", "It is required.", "MissingValue")]


def _budget_flaws(training: Given, kind: str) -> list[Flaw]:
    hours = training.get("timeBudgetInHours")
    most = MAX_BUDGET_HOURS[kind]
    if isinstance(hours, int) and not isinstance(hours, bool) and 1 <= hours <= most:
        return []
    message = f"It must be an integer from 1 to {most} for {kind}."
    return [Flaw("trainingParameters.timeBudgetInHours", message, "OutOfRange")]
