"""The simulated DataRobot: its calls, and who may make them.

Documented: paths, fields, checks, states, codes and pages (docs.datarobot.com, API reference
"Custom models" and "Jobs"). Seen in the vendor's client: `Token` as another scheme, `/version/`,
lists without offset and limit, the order of tests. Not documented, so chosen here: wordings, ids,
what a cancelled build looks like, a second build, what a 303 leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import format_datetime
from typing import Any

from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.datarobot import (
    access,
    model_tests,
    models,
    statuses,
    training,
    version_work,
    versions,
)
from trainbell.simulators.datarobot.answers import BASE, Refused
from trainbell.simulators.datarobot.work import Plan
from trainbell.simulators.datarobot.world import World
from trainbell.simulators.service import Answer, Request, SimulatedService
from trainbell.simulators.settings import Settings, read

API_KEY = "simulated-datarobot-key"
VERSION = {"major": 2, "minor": 49, "versionString": "2.49.0", "releasedVersion": "2.49.0"}
_M, _V = "customModels/*", "customModels/*/versions/*"
_WORDS = frozenset(
    {
        "fromCustomModel",
        "predictionExplanationsInitialization",
        "fromRepository",
        "withTrainingData",
    }
)
Handler = Callable[..., Answer]


def _version(_world: World, _: Request) -> Answer:
    return Answer.json(VERSION)


ROUTES: Mapping[str, Mapping[str, Handler]] = {
    "version": {"GET": _version},
    "customModelLimits": {"GET": models.limits},
    "customModels": {"GET": models.list_models, "POST": models.create_model},
    "customModels/fromCustomModel": {"POST": models.copy_model},
    "customModels/predictionExplanationsInitialization": {"POST": version_work.explain_model},
    _M: {"GET": models.get_model, "PATCH": models.update_model, "DELETE": models.delete_model},
    f"{_M}/download": {"GET": models.download_model},
    f"{_M}/accessControl": {"GET": access.list_roles, "PATCH": access.update_roles},
    f"{_M}/trainingData": {"PATCH": training.assign_to_model},
    f"{_M}/versions": {
        "GET": versions.list_versions,
        "POST": versions.create_version,
        "PATCH": versions.create_from_latest,
    },
    f"{_M}/versions/fromRepository": {
        "POST": training.import_version,
        "PATCH": training.import_onto_latest,
    },
    f"{_M}/versions/withTrainingData": {"PATCH": training.assign_to_version},
    _V: {"GET": versions.get_version, "PATCH": versions.update_version},
    f"{_V}/download": {"GET": versions.download_version},
    f"{_V}/dependencyBuild": {
        "GET": version_work.get_build,
        "POST": version_work.start_build,
        "DELETE": version_work.cancel_build,
    },
    f"{_V}/dependencyBuildLog": {"GET": version_work.build_log},
    f"{_V}/conversions": {
        "GET": version_work.list_conversions,
        "POST": version_work.start_conversion,
    },
    f"{_V}/conversions/*": {
        "GET": version_work.get_conversion,
        "DELETE": version_work.stop_conversion,
    },
    f"{_V}/featureImpact": {"GET": version_work.get_impact, "POST": version_work.start_impact},
    f"{_V}/predictionExplanationsInitialization": {"POST": version_work.explain_version},
    "customInferenceImages/*/featureImpact": {
        "GET": version_work.get_image_impact,
        "POST": version_work.start_image_impact,
    },
    "customModelTests": {"GET": model_tests.list_tests, "POST": model_tests.start_test},
    "customModelTests/*": {"GET": model_tests.get_test, "DELETE": model_tests.cancel_test},
    "customModelTests/*/log": {"GET": model_tests.read_log},
    "customModelTests/*/tail": {"GET": model_tests.read_tail},
    "status": {"GET": statuses.list_statuses},
    "status/*": {"GET": statuses.get_status, "DELETE": statuses.drop_status},
}


class DataRobotSettings(Settings):
    plan: Plan | None = None
    plans: tuple[Plan, ...] = ()
    deployed: tuple[str, ...] = ()


class DataRobotSimulator(SimulatedService):
    """`starts` counts accepted starts by kind and what they are about, `test:<version id>`: the
    service's calls take no marker."""

    base_path = BASE

    def __init__(self, clock: SimulatorClock | None = None, api_key: str = API_KEY) -> None:
        super().__init__(clock)
        self.api_key = api_key
        self.world = World.seeded(self.clock)
        self.starts = self.world.starts

    def handle(self, request: Request) -> Answer:
        try:
            answer = self._answer(request)
        except Refused as refused:
            answer = refused.answer
        now = self.clock.shown(self.clock.now())
        return replace(
            answer, headers={**answer.headers, "Date": format_datetime(now, usegmt=True)}
        )

    def apply_settings(self, settings: Mapping[str, Any]) -> None:
        """`plan` for all further work, `plans` for the next, `deployed`: ids of models that are."""
        given = read(DataRobotSettings, settings)
        if unknown := set(given.deployed) - set(self.world.models):
            raise ValueError(f"deployed: no such model: {', '.join(sorted(unknown))}")
        self.world.plan = given.plan or self.world.plan
        self.world.plans.extend(given.plans)
        for model_id in given.deployed:
            self.world.models[model_id].deployments = 1

    def counters(self) -> dict[str, Any]:
        now = self.world.settle()
        words = [work.status(now) for work in self.world.statuses.values()]
        return {**super().counters(), "states": {w: words.count(w) for w in sorted(set(words))}}

    def _answer(self, request: Request) -> Answer:
        if not request.path.startswith(f"{BASE}/") or not request.path.endswith("/"):
            raise Refused(404, "Not Found")
        if request.headers.get("authorization") not in self._proofs():
            raise Refused(401, "Invalid Authorization header. No credentials provided.")
        parts = request.path.removeprefix(f"{BASE}/").rstrip("/").split("/")
        calls = ROUTES.get(_shape(parts))
        if calls is None:
            raise Refused(404, "Not Found")
        call = calls.get(request.method)
        if call is None:
            raise Refused(405, f"{request.method} is not allowed here.")
        self.world.settle()
        return call(self.world, request, *_ids(parts))

    def _proofs(self) -> tuple[str, str]:
        return f"Bearer {self.api_key}", f"Token {self.api_key}"


def _is_id(place: int, part: str) -> bool:
    return place % 2 == 1 and part not in _WORDS


def _shape(parts: list[str]) -> str:
    """`customModels/6a…/versions` as `customModels/*/versions`."""
    return "/".join("*" if _is_id(n, part) else part for n, part in enumerate(parts))


def _ids(parts: list[str]) -> list[str]:
    return [part for n, part in enumerate(parts) if _is_id(n, part)]
