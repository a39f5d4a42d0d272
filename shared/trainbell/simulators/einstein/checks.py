"""What the simulated Einstein refuses, and in which words.

When a start is refused is documented (train-a-dataset, retrain-a-dataset); the messages are not,
and are chosen here, with the code 400.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from trainbell.simulators.einstein.trainings import Account, Dataset, Model

MAX_NAME = 180
MAX_EPOCHS = 1000
RATES = (0.0001, 0.01)
ALGORITHMS = {
    "image-detection": (
        "object-detection",
        "object-detection-v1",
        "object-detection-v2",
        "retail-execution",
    ),
    "text-intent": ("intent", "multilingual-intent", "multilingual-intent-ood"),
}


class Refused(ValueError):
    """The service does not take this; the message is for its answer."""


def named(fields: Mapping[str, str]) -> str:
    name = fields.get("name", "")
    if not name:
        raise Refused("The name parameter is required")
    if len(name) > MAX_NAME:
        raise Refused(f"The name must not be longer than {MAX_NAME} characters")
    return name


def dataset_to_train(account: Account, service: str, dataset_id: str) -> Dataset:
    """The dataset, if it is there and at rest."""
    dataset = account.datasets.get(int(dataset_id)) if dataset_id.isdecimal() else None
    if dataset is None or dataset.service != service:
        raise Refused(f"Dataset {dataset_id or '(none given)'} does not exist")
    state = dataset.state(account.clock.now())
    if state == "DELETED":
        raise Refused(f"Dataset {dataset_id} does not exist")
    if state == "DELETE_PENDING":
        raise Refused(f"Dataset {dataset_id} has the status DELETE_PENDING")
    if (busy := account.busy_model(dataset)) is not None:
        raise Refused(f"Dataset {dataset_id} is being trained: model {busy.id}")
    return dataset


def model_to_train(account: Account, service: str, model_id: str) -> Model:
    model = account.models.get(model_id)
    if model is None or model.dataset.service != service:
        raise Refused(f"Model {model_id or '(none given)'} does not exist")
    dataset_to_train(account, service, str(model.dataset.id))
    return model


def asked(account: Account, dataset: Dataset, fields: Mapping[str, str]) -> dict[str, Any]:
    """The optional parameters, read."""
    given: dict[str, Any] = {}
    allowed = ALGORITHMS.get(dataset.type, ())
    if "algorithm" in fields:
        if fields["algorithm"] not in allowed:
            raise Refused(f"The algorithm {fields['algorithm']} is not for {dataset.type}")
        given["algorithm"] = fields["algorithm"]
    elif allowed:
        given["algorithm"] = allowed[0]
    if "epochs" in fields:
        text = fields["epochs"]
        given["epochs"] = _epochs(text, dataset)
    # Documented as "not used" for detection and "N/A" for text: neither read nor refused.
    if "learningRate" in fields and dataset.type in ("image", "image-multi-label"):
        given["learning_rate"] = _rate(fields["learningRate"])
    if "trainParams" in fields:
        given["train_params"] = _train_params(account, fields["trainParams"])
    return given


def _epochs(text: str, dataset: Dataset) -> int:
    """Of Language no upper bound is documented."""
    epochs = int(text) if text.isdecimal() else 0
    if dataset.service == "vision" and not 1 <= epochs <= MAX_EPOCHS:
        raise Refused(f"epochs must be between 1 and {MAX_EPOCHS}")
    if epochs < 1:
        raise Refused("epochs must be at least 1")
    return epochs


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not RATES[0] <= rate <= RATES[1]:
        raise Refused(f"learningRate must be between {RATES[0]} and {RATES[1]}")
    return rate


def _train_params(account: Account, text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Refused("trainParams must be JSON")
    for name, value in given.items():
        match name, value:
            case "withFeedback", bool():
                pass
            case "trainSplitRatio", float() if 0 < value < 1:
                pass
            case "withGlobalDatasetId", int() if _is_global(account, value):
                pass
            case _:
                raise Refused(f"trainParams: {name} is not valid")
    return given


def _is_global(account: Account, identity: int) -> bool:
    dataset = account.datasets.get(identity)
    return dataset is not None and dataset.is_global
