"""The simulated DeepVA's calls.

Documented: paths and fields (docs.deepva.com/core-resources/training, …/dataset), `Authorization:
Key …`, pagination with `http://` links. Not documented, so chosen here: the bodies of errors, the
order of lists (newest first; `newest_first` turns it), 201 for a start, 204 for a delete, that a
delete of a running training ends it, where a model's versions are listed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.deepva.trainings import FACE_DATASET, LANDMARK_DATASET, Account, Plan
from trainbell.simulators.service import Answer, Request, SimulatedService
from trainbell.simulators.settings import Settings, read

API_KEY = "simulated-deepva-key"
MAX_LIMIT = 100
_MARKER = re.compile(r"\[([\w-]+:[^\]]+)\]")
_PATH = re.compile(
    r"(?:/api)?/v1/(?P<collection>trainings|datasets|models)/"
    r"(?:(?P<id>[^/]+)/(?P<versions>versions/)?)?"
)
_TEXTS = ("output_model_name", "output_model_description", "output_model_changelog")
_FACE_CONFIG = frozenset({"min_face_size", "sharpness_threshold"})


class DeepVASettings(Settings):
    plan: Plan | None = None
    plans: tuple[Plan, ...] = ()
    newest_first: bool | None = None


class DeepVASimulator(SimulatedService):
    """`starts` counts accepted starts by the marker in the changelog (`trainbell:<job id>`), or by
    the whole changelog where it has none."""

    base_path = "/api/v1"

    def __init__(self, clock: SimulatorClock | None = None, api_key: str = API_KEY) -> None:
        super().__init__(clock)
        self.api_key = api_key
        self.newest_first = True
        self.account = Account(self.clock)
        self.account.add_dataset(FACE_DATASET, "face", "Faces")
        self.account.add_dataset(LANDMARK_DATASET, "landmark", "Landmarks")

    def handle(self, request: Request) -> Answer:
        path = _PATH.fullmatch(request.path)
        if path is None:
            return _problem(404, "Not found.")
        if request.headers.get("authorization") != f"Key {self.api_key}":
            return _problem(401, "Authentication credentials were not provided or are invalid.")
        if path["versions"]:
            return self._versions(request, path["id"]) if path["collection"] == "models" else _GONE
        calls: Mapping[tuple[str, str, bool], Callable[[Request, str], Answer]] = {
            ("trainings", "GET", False): self._list_trainings,
            ("trainings", "POST", False): self._start,
            ("trainings", "GET", True): self._training,
            ("trainings", "DELETE", True): self._delete,
            ("datasets", "GET", False): self._list_datasets,
            ("datasets", "GET", True): self._dataset,
            ("models", "GET", False): self._list_models,
            ("models", "GET", True): self._model,
        }
        call = calls.get((path["collection"], request.method, path["id"] is not None))
        if call is None:
            return _problem(405, f'Method "{request.method}" not allowed.')
        return call(request, path["id"])

    def apply_settings(self, settings: Mapping[str, Any]) -> None:
        """`plan` for all further trainings, `plans` for the next ones, `newest_first`."""
        given = read(DeepVASettings, settings)
        self.account.plan = given.plan or self.account.plan
        self.account.plans.extend(given.plans)
        if given.newest_first is not None:
            self.newest_first = given.newest_first

    def counters(self) -> dict[str, Any]:
        now = self.account.settle()
        states = [t.state(now) for t in self.account.trainings.values()]
        return {**super().counters(), "states": {s: states.count(s) for s in sorted(set(states))}}

    def _start(self, request: Request, _: str) -> Answer:
        try:
            given = json.loads(request.body)
        except ValueError:
            return _problem(400, "JSON parse error.")
        if not isinstance(given, dict):
            return _problem(400, "Invalid data. Expected a dictionary.")
        if problems := self._problems(given):
            return Answer.json(problems, 400)
        texts = {name: given.get(name, "") for name in _TEXTS}
        training = self.account.start(
            {"source_dataset_id": given["source_dataset_id"], "config": given.get("config", {})}
            | texts
        )
        changelog = texts["output_model_changelog"]
        marker = _MARKER.search(changelog)
        self.starts[marker[1] if marker else changelog] += 1
        shown = self.account.shown(training, self.account.settle())
        return Answer(201, shown.encode())

    def _problems(self, given: Mapping[str, Any]) -> dict[str, list[str]]:
        problems = {}
        dataset = self.account.datasets.get(str(given.get("source_dataset_id")))
        if "source_dataset_id" not in given:
            problems["source_dataset_id"] = ["This field is required."]
        elif dataset is None:
            problems["source_dataset_id"] = ["No such dataset."]
        if not given.get("output_model_name"):
            problems["output_model_name"] = ["This field is required."]
        for name in _TEXTS:
            if not isinstance(given.get(name, ""), str):
                problems[name] = ["Not a valid string."]
        if dataset is not None:
            problems |= _config_problems(given.get("config", {}), dataset["type"])
        return problems

    def _training(self, _: Request, training_id: str) -> Answer:
        now = self.account.settle()
        training = self.account.trainings.get(training_id)
        return (
            _GONE if training is None else Answer(200, self.account.shown(training, now).encode())
        )

    def _delete(self, _: Request, training_id: str) -> Answer:
        self.account.settle()
        return _GONE if self.account.trainings.pop(training_id, None) is None else Answer(204)

    def _list_trainings(self, request: Request, _: str) -> Answer:
        now = self.account.settle()
        trainings = self.account.trainings

        def shown(start: int, stop: int) -> Sequence[str]:
            ordered = reversed(trainings.values()) if self.newest_first else trainings.values()
            return [self.account.shown(t, now) for t in islice(ordered, start, stop)]

        return _page(request, len(trainings), shown)

    def _list_datasets(self, request: Request, _: str) -> Answer:
        return _page_of(request, list(self.account.datasets.values()))

    def _dataset(self, _: Request, dataset_id: str) -> Answer:
        dataset = self.account.datasets.get(dataset_id)
        return _GONE if dataset is None else Answer.json(dataset)

    def _list_models(self, request: Request, _: str) -> Answer:
        self.account.settle()
        return _page_of(request, list(self.account.models.values()))

    def _model(self, _: Request, model_id: str) -> Answer:
        self.account.settle()
        model = self.account.models.get(model_id)
        return _GONE if model is None else Answer.json(model)

    def _versions(self, request: Request, model_id: str) -> Answer:
        self.account.settle()
        versions = self.account.versions.get(model_id)
        return _GONE if versions is None else _page_of(request, versions)


def _problem(status: int, detail: str) -> Answer:
    return Answer.json({"detail": detail}, status)


_GONE = _problem(404, "Not found.")


def _config_problems(config: Any, kind: str) -> dict[str, list[str]]:
    if not isinstance(config, dict):
        return {"config": ["Expected a dictionary."]}
    allowed = _FACE_CONFIG if kind == "face" else frozenset()
    wrong = [name for name in config if name not in allowed]
    wrong += [n for n in config if n in allowed and not isinstance(config[n], int)]
    return {"config": [f"Not valid for {kind}: {name}." for name in wrong]} if wrong else {}


def _page_of(request: Request, items: Sequence[Mapping[str, Any]]) -> Answer:
    def shown(start: int, stop: int) -> Sequence[str]:
        return [json.dumps(item) for item in items[start:stop]]

    return _page(request, len(items), shown)


def _page(request: Request, total: int, shown: Callable[[int, int], Sequence[str]]) -> Answer:
    """One page, with absolute `http://` links whatever the scheme of the request, as documented."""
    try:
        limit = int(request.query.get("limit", 10))
        offset = int(request.query.get("offset", 0))
    except ValueError:
        return _problem(400, "limit and offset are integers.")
    if limit < 1 or offset < 0:
        return _problem(400, "limit is at least 1, offset at least 0.")
    limit = min(limit, MAX_LIMIT)

    def link(to: int) -> str:
        host = request.headers.get("host", "")
        return f"http://{host}{request.path}?limit={limit}&offset={to}"

    head = {
        "total": total,
        "offset": offset,
        "limit": limit,
        "next": link(offset + limit) if offset + limit < total else None,
        "prev": link(max(0, offset - limit)) if offset > 0 else None,
    }
    data = ", ".join(shown(offset, offset + limit))
    return Answer(200, f'{json.dumps(head)[:-1]}, "data": [{data}]}}'.encode())
