"""Drives a simulated Azure AI Vision with Microsoft's own client, and prints what it saw as JSON.

Runs in the environment of requirements/vendor-azure_vision.txt, where Trainbell is not installed:

    python tests/vendor/azure_vision_session.py URL KEY
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from enum import Enum
from typing import Any
from urllib.request import Request, urlopen

import requests
from cognitive_service_vision_model_customization_python_samples import (  # type: ignore[import-not-found]
    AnnotationKind,
    Authentication,
    AuthenticationKind,
    Dataset,
    DatasetClient,
    Evaluation,
    EvaluationClient,
    EvaluationParameters,
    Model,
    ModelKind,
    ResourceType,
    TrainingClient,
    TrainingParameters,
)

URI = "https://acme.blob.core.windows.net/images/train.json"
# What the client's own `wait_for…` sleeps between two looks; the clock is moved before.
AT_ONCE = 0


class Session:
    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.training = TrainingClient(ResourceType.MULTI_SERVICE_RESOURCE, None, url, key)
        self.evaluation = EvaluationClient(ResourceType.MULTI_SERVICE_RESOURCE, None, url, key)
        self.datasets = DatasetClient(ResourceType.MULTI_SERVICE_RESOURCE, None, url, key)
        self.seen: dict[str, Any] = {}

    def control(self, what: str, **wish: Any) -> None:
        body = json.dumps(wish).encode()
        urlopen(Request(f"{self.url}/_simulator/{what}", body, method="POST")).close()

    def call(self, step: str, method: Callable[..., Any], *given: Any, **named: Any) -> None:
        """Call it, and note the answer, or the error as the client raises it."""
        try:
            self.seen[step] = _told(method(*given, **named))
        except requests.HTTPError as error:
            answer = error.response
            assert answer is not None
            told = answer.json()["error"]
            header = answer.headers.get("x-ms-error-code")
            self.seen[step] = {"status": answer.status_code, "code": told["code"], "header": header}
        except (requests.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            self.seen[step] = {"broken": type(error).__name__}

    def register(self) -> None:
        dataset = Dataset("mine", AnnotationKind.MULTICLASS_CLASSIFICATION, [URI])
        self.call("dataset", self.datasets.register_dataset, dataset)
        self.call("dataset again", self.datasets.register_dataset, dataset)
        dataset.annotation_file_uris = [URI, URI]
        self.call("dataset changed", self.datasets.update_dataset, dataset)
        self.call("dataset read", self.datasets.query_dataset, "mine")
        wrong = Dataset("wrong", AnnotationKind.OBJECT_DETECTION, ["train.json"])
        self.call("dataset without files", self.datasets.register_dataset, wrong)
        sas = Authentication(AuthenticationKind.SAS, "sv=1&sig=x")
        signed = Dataset("signed", AnnotationKind.OBJECT_DETECTION, [URI], sas)
        self.call("dataset with a signature", self.datasets.register_dataset, signed)

    def train(self) -> None:
        model = _model("kept", ModelKind.GENERIC_IC, 336, EvaluationParameters("mine"))
        self.call("train", self.training.train_model, model)
        self.call("train again", self.training.train_model, model)
        self.call("delete too early", self.training.delete_model, "kept")
        self.control("clock", advance=2)
        self.call("training", self.training.query_model, "kept")
        self.control("clock", advance=20)
        self.call("trained", self.training.wait_for_training_completion, "kept", AT_ONCE)
        self.call("cancel too late", self.training.cancel_model_training, "kept")
        self.call("too long", self.training.train_model, _model("a", ModelKind.GENERIC_IC, 337))
        detector = _model("detector", ModelKind.GENERIC_OD, 1344)
        self.call("train a detector", self.training.train_model, detector)
        self.call("no name", self.training.train_model, _model("-", ModelKind.GENERIC_OD, 1))
        self.call("unknown", self.training.query_model, "nowhere")
        self.call("by trainbell", self.training.query_model, "by-trainbell")

    def cancel(self) -> None:
        model = _model("recogniser", ModelKind.PRODUCT_RECOGNIZER, 1)
        self.call("train a recogniser", self.training.train_model, model)
        self.call("cancel", self.training.cancel_model_training, "recogniser")
        self.call("cancelling", self.training.query_model, "recogniser")
        self.control("clock", advance=2)
        self.call("cancelled", self.training.wait_for_training_completion, "recogniser", AT_ONCE)
        self.call("delete", self.training.delete_model, "recogniser")
        self.call("deleted", self.training.query_model, "recogniser")

    def fail(self) -> None:
        self.control("settings", plans=[{"error": "diverged", "working_seconds": 5}])
        self.call("train to fail", self.training.train_model, _model("b", ModelKind.GENERIC_IC, 1))
        self.control("clock", advance=7)
        self.call("failed", self.training.wait_for_training_completion, "b", AT_ONCE)

    def evaluate(self) -> None:
        evaluation = Evaluation("first", "kept", "mine")
        self.call("evaluate", self.evaluation.evaluate, evaluation)
        self.call("evaluate again", self.training.evaluate_model, evaluation)
        self.control("clock", advance=2)
        self.call("evaluating", self.evaluation.query_run, "first", "kept")
        self.control("clock", advance=20)
        wait = self.training.wait_for_evaluation_completion
        self.call("evaluated", wait, "kept", "first", AT_ONCE)
        self.call("delete evaluation", self.training.delete_model_evaluation, "kept", "first")
        self.call("evaluation gone", self.training.query_model_evaluation, "kept", "first")

    def refuse(self) -> None:
        for step, key, version in (
            ("wrong key", "wrong", "2023-04-01-preview"),
            ("wrong version", self.training._headers["Ocp-Apim-Subscription-Key"], "2022-01-01"),
        ):
            kind = ResourceType.MULTI_SERVICE_RESOURCE
            client = TrainingClient(kind, None, self.url, key, api_version=version)
            self.call(step, client.query_model, "kept")
        self.call("delete dataset", self.datasets.delete_dataset, "mine")
        self.call("dataset gone", self.datasets.query_dataset, "mine")


def _model(
    name: str, kind: ModelKind, hours: int, evaluation: EvaluationParameters | None = None
) -> Model:
    return Model(name, TrainingParameters("mine", hours, kind), evaluation)


def _told(value: Any) -> Any:
    """The client's objects as JSON, by their fields."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _told(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_told(part) for part in value]
    return _told(vars(value)) if hasattr(value, "__dict__") else value


def main() -> None:
    session = Session(*sys.argv[1:3])
    for act in (
        session.register,
        session.train,
        session.cancel,
        session.fail,
        session.evaluate,
        session.refuse,
    ):
        act()
    json.dump(session.seen, sys.stdout)


if __name__ == "__main__":
    main()
