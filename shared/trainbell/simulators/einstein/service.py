"""The simulated Einstein's calls.

Documented: paths, forms, fields, when a start is refused (metamind.readme.io, the vendor's OpenAPI
document 2.0.1). Not documented, so chosen here: the messages of refusals and their code 400, 404
for what does not exist, 400 for a key that is not taken, the order of a dataset's models (newest
first; `newest_first` turns it), metrics only once a training has succeeded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from email.utils import format_datetime
from functools import partial
from itertools import islice
from typing import Any

from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.einstein import checks, dataset_calls, views
from trainbell.simulators.einstein.answers import NOT_FOUND, listed, page_asked, said
from trainbell.simulators.einstein.forms import NotAForm, multipart_fields, urlencoded_fields
from trainbell.simulators.einstein.learning import metrics_data
from trainbell.simulators.einstein.tokens import TOKEN_PATH, Refused, Tokens
from trainbell.simulators.einstein.trainings import (
    DETECTION_DATASET,
    GLOBAL_DATASET,
    IMAGE_DATASET,
    INTENT_DATASET,
    MULTI_LABEL_DATASET,
    SENTIMENT_DATASET,
    Account,
    Model,
    Plan,
)
from trainbell.simulators.service import Answer, Request, SimulatedService
from trainbell.simulators.settings import Seconds, Settings, read

_MARKER = re.compile(r"\[([\w-]+:[^\]]+)\]")
_PATH = re.compile(
    r"/v2/(?P<service>vision|language)/"
    r"(?P<what>train|retrain|models|datasets|deletion)(?:/(?P<id>[^/]+)(?:/(?P<part>[^/]+))?)?"
)
Handler = Callable[[Request, str, str], Answer]


class EinsteinSettings(Settings):
    plan: Plan | None = None
    plans: tuple[Plan, ...] = ()
    newest_first: bool | None = None
    stale_seconds: Seconds | None = None
    as_text: bool | None = None
    revoke_tokens: bool = False


class EinsteinSimulator(SimulatedService):
    """`starts` counts accepted starts: a training by the marker in its name (`trainbell:<job id>`,
    else by the whole name), a retraining by `retrain:<model id>`."""

    def __init__(self, clock: SimulatorClock | None = None) -> None:
        super().__init__(clock)
        self.newest_first = True
        self.tokens = Tokens(self.clock)
        self.account = account = Account(self.clock)
        for identity, name, kind, labels in _DATASETS:
            account.add_dataset(identity, name, kind, *labels)
        account.datasets[GLOBAL_DATASET].is_global = True

    def handle(self, request: Request) -> Answer:
        answer = self._answer(request)
        date = format_datetime(self.clock.shown(self.clock.now()), usegmt=True)
        return replace(answer, headers={**answer.headers, "date": date})

    def apply_settings(self, settings: Mapping[str, Any]) -> None:
        """`plan` for all further trainings, `plans` for the next ones, `newest_first`,
        `stale_seconds`, `as_text` (see `Account`), `revoke_tokens`."""
        given = read(EinsteinSettings, settings)
        account = self.account
        account.plan = given.plan or account.plan
        account.plans.extend(given.plans)
        if given.newest_first is not None:
            self.newest_first = given.newest_first
        if given.stale_seconds is not None:
            account.stale_seconds = given.stale_seconds
        if given.as_text is not None:
            account.as_text = given.as_text
        if given.revoke_tokens:
            self.tokens.revoke_all()

    def counters(self) -> dict[str, Any]:
        now = self.clock.now()
        states = [m.latest.status(now) for m in self.account.models.values()]
        return {
            **super().counters(),
            "states": {s: states.count(s) for s in sorted(set(states))},
            "tokens": self.tokens.issued,
        }

    def _answer(self, request: Request) -> Answer:
        if request.path.startswith(TOKEN_PATH):
            return self._token(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            return said(401, "Invalid authentication scheme")
        if not self.tokens.is_good(token):
            return said(401, "Invalid access token")
        try:
            return self._routed(request) or NOT_FOUND
        except (checks.Refused, NotAForm) as refusal:
            return said(400, str(refusal))

    def _routed(self, request: Request) -> Answer | None:
        if (request.method, request.path) == ("GET", "/v2/apiusage"):
            return Answer.json(views.usage_view(self.clock.now()))
        path = _PATH.fullmatch(request.path)
        if path is None:
            return None
        shape = path["id"] is not None, path["part"] or ""
        handler = self._handlers().get((request.method, path["what"], *shape))
        return handler(request, path["service"], path["id"] or "") if handler else None

    def _handlers(self) -> Mapping[tuple[str, str, bool, str], Handler]:
        return {
            ("POST", "train", False, ""): self._train,
            ("POST", "retrain", False, ""): self._retrain,
            ("GET", "train", True, ""): self._training,
            ("GET", "models", True, ""): self._metrics,
            ("GET", "models", True, "lc"): self._curve,
            ("DELETE", "models", True, ""): self._delete_model,
            ("GET", "deletion", True, ""): self._deletion,
            ("GET", "datasets", True, "models"): self._list_models,
            ("GET", "datasets", False, ""): partial(dataset_calls.list_all, self.account),
            ("GET", "datasets", True, ""): partial(dataset_calls.get, self.account),
            ("DELETE", "datasets", True, ""): partial(dataset_calls.delete, self.account),
            ("POST", "datasets", True, ""): partial(dataset_calls.upload, self.account),
            ("POST", "datasets", True, "sync"): partial(dataset_calls.upload, self.account),
        }

    def _token(self, request: Request) -> Answer:
        if request.method == "DELETE":
            known = self.tokens.revoke(request.path.removeprefix(f"{TOKEN_PATH}s/"))
            return Answer(204) if known else said(404, "No such token")
        if (request.method, request.path) != ("POST", TOKEN_PATH):
            return NOT_FOUND
        try:
            granted = self.tokens.grant(urlencoded_fields(request), request.headers.get("host", ""))
        except (Refused, NotAForm) as refusal:
            return said(400, str(refusal))
        return Answer.json(granted)

    def _train(self, request: Request, service: str, _: str) -> Answer:
        fields = multipart_fields(request)
        name = checks.named(fields)
        dataset = checks.dataset_to_train(self.account, service, fields.get("datasetId", ""))
        model = self.account.train(dataset, name, checks.asked(self.account, dataset, fields))
        marker = _MARKER.search(name)
        self.starts[marker[1] if marker else name] += 1
        return Answer.json(views.training(self.account, model, with_progress=False))

    def _retrain(self, request: Request, service: str, _: str) -> Answer:
        fields = multipart_fields(request)
        model = checks.model_to_train(self.account, service, fields.get("modelId", ""))
        self.account.retrain(model, checks.asked(self.account, model.dataset, fields))
        self.starts[f"retrain:{model.id}"] += 1
        fresh = replace(model, stale_until=None)
        return Answer.json(views.training(self.account, fresh, with_progress=False))

    def _training(self, _: Request, service: str, model_id: str) -> Answer:
        model = self._model(service, model_id)
        return Answer.json(views.training(self.account, model)) if model else NOT_FOUND

    def _metrics(self, _: Request, service: str, model_id: str) -> Answer:
        model = self._model(service, model_id)
        if model is None:
            return NOT_FOUND
        run, now = model.shown_run(self.clock.now()), self.clock.now()
        if run.status(now) != "SUCCEEDED":
            return said(400, f"Model {model_id} has not been trained")
        dataset = model.dataset
        data = metrics_data(model.id, dataset.type, dataset.labels, run.epochs_done(now))
        view = {"createdAt": views.time(model.created_at), "id": model.id, "metricsData": data}
        return Answer.json({**view, "object": "metrics"})

    def _curve(self, request: Request, service: str, model_id: str) -> Answer:
        model = self._model(service, model_id)
        if model is None:
            return NOT_FOUND
        done = model.shown_run(self.clock.now()).epochs_done(self.clock.now())
        kind, labels = model.dataset.type, model.dataset.labels

        def point(epoch: int) -> dict[str, Any]:
            data = metrics_data(model.id, kind, labels, epoch)
            named = {"epoch": epoch, "epochResults": [], "metricsData": data}
            return {**named, "object": "learningcurve"}

        offset, count = page_asked(request, 25)
        epochs = islice(range(1, done + 1), offset, offset + count)
        return listed([point(epoch) for epoch in epochs])

    def _delete_model(self, _: Request, service: str, model_id: str) -> Answer:
        model = self._model(service, model_id)
        if model is None:
            return NOT_FOUND
        deletion = self.account.delete_model(model)
        return Answer.json(views.deletion_view(self.account, deletion), 201)

    def _deletion(self, _: Request, __: str, deletion_id: str) -> Answer:
        deletion = self.account.deletions.get(deletion_id)
        if deletion is None:
            return NOT_FOUND
        return Answer.json(views.deletion_view(self.account, deletion))

    def _list_models(self, request: Request, service: str, dataset_id: str) -> Answer:
        dataset = dataset_calls.known(self.account, service, dataset_id)
        if dataset is None:
            return NOT_FOUND
        offset, count = page_asked(request, 100)
        models = [m for m in self.account.models.values() if m.dataset is dataset]
        ordered = models[::-1] if self.newest_first else models
        shown = ordered[offset : offset + count]
        return listed([views.model_view(self.account, model) for model in shown])

    def _model(self, service: str, model_id: str) -> Model | None:
        model = self.account.models.get(model_id)
        return model if model is not None and model.dataset.service == service else None


_DATASETS: Sequence[tuple[int, str, str, tuple[str, ...]]] = (
    (IMAGE_DATASET, "Beach and Mountain", "image", ("Beaches", "Mountains")),
    (DETECTION_DATASET, "Cereal Boxes", "image-detection", ("Oats", "Corn Flakes")),
    (MULTI_LABEL_DATASET, "Scenes", "image-multi-label", ("Beach", "Sunset")),
    (INTENT_DATASET, "case_routing_intent.csv", "text-intent", ("Billing", "Order Change")),
    (SENTIMENT_DATASET, "Reviews", "text-sentiment", ("positive", "neutral", "negative")),
    (GLOBAL_DATASET, "Global Images", "image", ("Beaches", "Mountains")),
)
