"""The simulated service's calls.

Documented: paths, names, bodies, states, success codes, the form of errors, pages of at most 30
models, deletion in an end state only (the REST pages of 2023-04-01-preview and Microsoft's own
client 0.0.6). Not documented, so chosen here: most error codes, 400 for a cancel after the end, 202
with `{}` for a cancel (its own client reads JSON), how datasets are checked, that an evaluation
needs a model that has succeeded, the order of a list (oldest first).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any
from uuid import uuid4

from trainbell.simulators.azure_vision import checks
from trainbell.simulators.azure_vision.account import (
    CLASSIFICATION_DATASET,
    DETECTION_DATASET,
    Account,
)
from trainbell.simulators.azure_vision.bodies import json_object
from trainbell.simulators.azure_vision.dataset_calls import DatasetCalls
from trainbell.simulators.azure_vision.errors import (
    Flaw,
    malformed,
    refused,
    unauthorized,
    unknown_path,
)
from trainbell.simulators.azure_vision.runs import Plan, Run
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.service import Answer, Request, SimulatedService
from trainbell.simulators.settings import Settings, read

API_KEY = "simulated-azure-vision-key"
API_VERSION = "2023-04-01-preview"
MAX_TOP = 30
# Microsoft's client writes two slashes before `models` when it evaluates.
_PATH = re.compile(
    r"/computervision/+(?P<collection>models|datasets)"
    r"(?:/(?P<name>[^/:]+)(?P<cancel>:cancel)?(?:/evaluations/(?P<evaluation>[^/]+))?)?"
)
_Call = Callable[[Request, re.Match[str]], Answer]


class AzureVisionSettings(Settings):
    plan: Plan | None = None
    plans: tuple[Plan, ...] = ()


class AzureVisionSimulator(SimulatedService):
    """`starts` counts accepted starts by name: `model`, or `model/evaluation`."""

    base_path = "/computervision"

    def __init__(self, clock: SimulatorClock | None = None, api_key: str = API_KEY) -> None:
        super().__init__(clock)
        self.api_key = api_key
        self.account = Account(self.clock)
        self._datasets = DatasetCalls(self.account)
        self.account.add_dataset(CLASSIFICATION_DATASET, "imageClassification")
        self.account.add_dataset(DETECTION_DATASET, "imageObjectDetection")

    def handle(self, request: Request) -> Answer:
        answer = self._answer(request)
        return replace(answer, headers={**answer.headers, "apim-request-id": str(uuid4())})

    def apply_settings(self, settings: Mapping[str, Any]) -> None:
        """`plan` for all further runs, `plans` for the next ones."""
        given = read(AzureVisionSettings, settings)
        self.account.plan = given.plan or self.account.plan
        self.account.plans.extend(given.plans)

    def counters(self) -> dict[str, Any]:
        now = self.clock.now()
        runs = [*self.account.models.values(), *self.account.evaluations.values()]
        states = [run.state(now) for run in runs]
        return {**super().counters(), "states": {s: states.count(s) for s in sorted(set(states))}}

    def _answer(self, request: Request) -> Answer:
        path = _PATH.fullmatch(request.path)
        if path is None:
            return unknown_path()
        if request.headers.get("ocp-apim-subscription-key") != self.api_key:
            return unauthorized()
        if request.query.get("api-version") != API_VERSION:
            return malformed([Flaw("api-version", f"It must be {API_VERSION}.")])
        call = self._calls().get(_route(path), {}).get(request.method)
        if call is None:
            return refused(405, "MethodNotAllowed", f"{request.method} is not allowed here.")
        return call(request, path)

    def _calls(self) -> Mapping[str, Mapping[str, _Call]]:
        return {
            "models": {"GET": self._list},
            "model": {"PUT": self._train, "GET": self._model, "DELETE": self._delete},
            "cancel": {"POST": self._cancel},
            "evaluation": {
                "PUT": self._evaluate,
                "GET": self._evaluation,
                "DELETE": self._delete_evaluation,
            },
            "dataset": {
                "PUT": self._datasets.add,
                "GET": self._datasets.get,
                "PATCH": self._datasets.change,
                "DELETE": self._datasets.delete,
            },
        }

    # ---------------------------------------- models

    def _train(self, request: Request, path: re.Match[str]) -> Answer:
        body = json_object(request)
        if isinstance(body, Answer):
            return body
        name = path["name"]
        given, flaws = checks.model(body, self.account.annotations())
        if flaws := checks.named(name) + flaws:
            return malformed(flaws)
        if name in self.account.models:
            message = f"A model with the name {name} already exists."
            return refused(409, "ModelAlreadyExists", message, "name")
        run = self.account.train(name, given)
        self.starts[name] += 1
        return Answer.json(run.shown(run.created_at), 201)

    def _model(self, _: Request, path: re.Match[str]) -> Answer:
        run = self.account.models.get(path["name"])
        return _no_model(path) if run is None else self._shown(run)

    def _list(self, request: Request, _: re.Match[str]) -> Answer:
        try:
            skip, top = (int(request.query.get(n, d)) for n, d in (("skip", "0"), ("top", "30")))
        except ValueError:
            return malformed([Flaw("skip, top", "They are integers.")])
        flaws = [Flaw("skip", "It must be at least 0.", "OutOfRange")] if skip < 0 else []
        if not 1 <= top <= MAX_TOP:
            flaws.append(Flaw("top", f"It must be from 1 to {MAX_TOP}.", "OutOfRange"))
        if flaws:
            return malformed(flaws)
        now = self.clock.now()
        page = islice(self.account.models.values(), skip, skip + top)
        return Answer.json({"value": [run.shown(now) for run in page]})

    def _cancel(self, _: Request, path: re.Match[str]) -> Answer:
        run = self.account.models.get(path["name"])
        if run is None:
            return _no_model(path)
        now = self.clock.now()
        if run.has_ended(now):
            message = f"The training is {run.state(now)} and cannot be cancelled."
            return refused(400, "ModelNotCancellable", message, "name")
        run.cancel(now)
        return Answer.json({}, 202)

    def _delete(self, _: Request, path: re.Match[str]) -> Answer:
        run = self.account.models.get(path["name"])
        if run is None:
            return _no_model(path)
        now = self.clock.now()
        if not run.has_ended(now):
            message = f"The model is {run.state(now)}. Cancel its training first, and wait."
            return refused(400, "ModelNotInTerminalState", message, "name")
        self.account.delete_model(path["name"])
        return Answer(204)

    # ---------------------------------------- evaluations

    def _evaluate(self, request: Request, path: re.Match[str]) -> Answer:
        body = json_object(request)
        if isinstance(body, Answer):
            return body
        name = path["evaluation"]
        given, flaws = checks.evaluation(body)
        model = self.account.models.get(path["name"])
        if model is None or model.state(self.clock.now()) != "succeeded":
            flaws.append(Flaw("name", "There is no trained model of this name.", "ModelNotFound"))
        if flaws := checks.named(name) + flaws:
            return malformed(flaws)
        if model is None or (model.name, name) in self.account.evaluations:
            message = f"An evaluation with the name {name} already exists."
            return refused(409, "EvaluationAlreadyExists", message, "evaluationName")
        run = self.account.evaluate(model, name, given)
        self.starts[f"{model.name}/{name}"] += 1
        return Answer.json(run.shown(run.created_at), 201)

    def _evaluation(self, _: Request, path: re.Match[str]) -> Answer:
        run = self.account.evaluations.get((path["name"], path["evaluation"]))
        return _no_evaluation(path) if run is None else self._shown(run)

    def _delete_evaluation(self, _: Request, path: re.Match[str]) -> Answer:
        gone = self.account.evaluations.pop((path["name"], path["evaluation"]), None)
        return _no_evaluation(path) if gone is None else Answer(204)

    def _shown(self, run: Run) -> Answer:
        return Answer.json(run.shown(self.clock.now()))


def _route(path: re.Match[str]) -> str:
    if path["collection"] == "datasets":
        plain = path["name"] and not path["cancel"] and not path["evaluation"]
        return "dataset" if plain else "none"
    if path["evaluation"]:
        return "none" if path["cancel"] else "evaluation"
    if path["cancel"]:
        return "cancel"
    return "model" if path["name"] else "models"


def _no_model(path: re.Match[str]) -> Answer:
    return refused(404, "ModelNotFound", f"There is no model {path['name']}.", "name")


def _no_evaluation(path: re.Match[str]) -> Answer:
    message = f"There is no evaluation {path['evaluation']} of model {path['name']}."
    return refused(404, "EvaluationNotFound", message, "evaluationName")
