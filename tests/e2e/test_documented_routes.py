"""Every documented route is reached by a person: through the API of a running Trainbell.

tests/data/documented_routes.json is made from the documents. Each row says by which door its route
is reached: a kind of job, its cancel or its logs, or a call on the account. Here all doors are
gone through, and the simulated services say which of their routes were asked.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_every_kind import JOBS, OF_VERSION
from tests.open_secrets import allow
from trainbell.client import JsonObject, Trainbell
from trainbell.embedded.instance import EmbeddedInstance
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.datarobot.world import DATASET, ENVIRONMENT, MODEL, REPOSITORY
from trainbell.simulators.einstein.trainings import IMAGE_DATASET
from trainbell.simulators.lookout_vision.account import PROJECT
from trainbell.simulators.sagemaker import SageMakerSimulator
from trainbell.simulators.sagemaker.training_jobs import Plan, TrainingJob
from trainbell.simulators.server import running
from trainbell.simulators.service import Answer, Request, SimulatedService

MATRIX = json.loads(
    (Path(__file__).parents[1] / "data" / "documented_routes.json").read_text(encoding="utf-8")
)
ROUTES: Sequence[Mapping[str, Any]] = MATRIX["routes"]
SERVICES = sorted({row["service"] for row in ROUTES})
SPEED = 100
PATIENCE_SECONDS = 90.0
LONG: Mapping[str, str] = {
    "azure_vision": "working_seconds",
    "datarobot": "running_seconds",
    "sagemaker": "working_seconds",
}
"""By service that can cancel: what of a plan makes a job last until it is cancelled."""

Given = Mapping[str, Any]
Asked = tuple[str, str]
"""Method and path, as the service got them."""


@dataclass
class Service:
    """A simulated service that notes what it was asked."""

    name: str
    simulator: SimulatedService
    asked: list[Asked]
    by_call: dict[str, list[Asked]] = field(default_factory=dict)
    jobs: dict[str, JsonObject] = field(default_factory=dict)
    answers: dict[str, JsonObject] = field(default_factory=dict)


def a_service(name: str) -> Service:
    made: type[SimulatedService] = import_module(f"trainbell.simulators.{name}").SIMULATOR
    asked: list[Asked] = []

    class Noting(made):  # type: ignore[valid-type, misc]  # a class made for this run
        def handle(self, request: Request) -> Answer:
            path = request.raw_path or request.path
            # Some of AWS's services have one path, and name the operation in a header.
            path += request.headers.get("x-amz-target", "")
            asked.append((request.method, path.removeprefix(self.base_path)))
            answer: Answer = super().handle(request)
            return answer

    return Service(name, Noting(SimulatorClock(speed=SPEED)), asked)


# ---------------------------------------------------------------- the jobs

AT_VERSIONS = "6a6a6a6a6a6a6a6a6a6a6a02"
MORE_JOBS: Mapping[str, Sequence[tuple[str, Given]]] = {
    "datarobot": [
        ("explain", {**OF_VERSION, "environmentId": ENVIRONMENT}),
        (
            "import_version",
            {"customModelId": MODEL, "repositoryId": REPOSITORY, "fromLatest": True},
        ),
        (
            "assign_training_data",
            {"customModelId": AT_VERSIONS, "datasetId": DATASET, "route": "with_training_data"},
        ),
    ]
}
"""By the routes that a kind takes beside its usual one."""

CANCELLED: Mapping[str, Sequence[tuple[str, Given]]] = {
    "azure_vision": [("train", {**JOBS["azure_vision"]["train"], "model_name": "flowers-2"})],  # type: ignore[dict-item]  # no maker
    "datarobot": [
        ("test", {**OF_VERSION, "datasetId": DATASET}),
        ("convert", JOBS["datarobot"]["convert"]),  # type: ignore[list-item]  # no maker
        (
            "build_dependencies",
            {"customModelId": AT_VERSIONS, "customModelVersionId": "version-at-versions"},
        ),
    ],
    "sagemaker": [("train", JOBS["sagemaker"]["train"])],  # type: ignore[list-item]  # no maker
}


def started(client: Trainbell, name: str, kind: str, parameters: Given) -> JsonObject:
    interval = {"min_interval_seconds": 1, "max_interval_seconds": 1}
    order = {"provider": name, "connection": name, "kind": kind, "parameters": parameters}
    return client.start({**order, **interval})


def until(client: Trainbell, job: JsonObject, states: Sequence[str]) -> JsonObject:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while job["state"] not in states:
        assert time.monotonic() < deadline, job
        assert not job["has_ended"], job
        time.sleep(0.05)
        job = client.job(job["id"])
    return job


def run_jobs(client: Trainbell, service: Service) -> None:
    for kind, wanted in JOBS[service.name].items():
        parameters = wanted(service.jobs) if callable(wanted) else wanted
        job = until(client, started(client, service.name, kind, parameters), ["succeeded"])
        service.jobs[kind] = job
        if kind in ("test", "build_dependencies"):
            client.call("GET", f"/v1/jobs/{job['id']}/logs")
    for kind, parameters in MORE_JOBS.get(service.name, ()):
        until(client, started(client, service.name, kind, parameters), ["succeeded"])
    for kind, parameters in CANCELLED.get(service.name, ()):
        service.simulator.apply_settings({"plans": [{LONG[service.name]: 1_000_000}]})
        job = until(client, started(client, service.name, kind, parameters), ["queued", "running"])
        client.call("POST", f"/v1/jobs/{job['id']}/cancel")
        until(client, job, ["cancelling", "cancelled"])


# ---------------------------------------------------------------- the calls on the account

Parameters = Given | Callable[[Service], Given]
FILE = {"path": "lib/custom.py", "content": base64.b64encode(b"print(1)\n").decode()}
OF_MODEL = {"customModelId": MODEL}


def _evaluation(service: Service) -> Given:
    handle = service.jobs["evaluate"]["handle"]
    return {"model": handle["model"], "evaluation": handle["evaluation"]}


ELSEWHERE = "somebody-elses"
"""A training job that no job of Trainbell's is."""


def started_elsewhere(simulated: SageMakerSimulator) -> None:
    given = {**JOBS["sagemaker"]["train"], "TrainingJobName": ELSEWHERE}  # type: ignore[dict-item]  # no maker
    simulated.jobs[ELSEWHERE] = TrainingJob(
        arn=f"arn:aws:sagemaker:eu-west-1:123456789012:training-job/{ELSEWHERE}",
        given=given,
        plan=Plan(working_seconds=1_000_000),
        created_at=simulated.clock.now(),
    )


def _ended(service: Service) -> Given:
    return {"name": service.jobs["train"]["handle"]["name"]}


def _image(service: Service) -> Given:
    return {"imageId": service.answers["list_tests"]["items"][-1]["customModelImageId"]}


CALLS: Mapping[str, Sequence[tuple[str, Parameters]]] = {
    "azure_vision": [
        ("list_models", {}),
        ("get_model", {"model": "flowers-1"}),
        ("get_evaluation", _evaluation),
        ("delete_evaluation", _evaluation),
        ("delete_model", {"model": "flowers-1"}),
    ],
    "lookout_vision": [
        ("list_projects", {}),
        ("list_models", {"project": PROJECT}),
        ("get_model", {"project": PROJECT, "version": "1"}),
        ("list_tags", lambda s: {"arn": s.answers["get_model"]["model_arn"]}),
        ("delete_model", {"project": PROJECT, "version": "1"}),
    ],
    "deepva": [
        ("list_trainings", {}),
        ("get_training", lambda s: s.jobs["train"]["handle"]),
        ("delete_training", lambda s: s.jobs["train"]["handle"]),
    ],
    "einstein": [
        ("get_dataset", {"dataset": IMAGE_DATASET}),
        ("list_models", {"dataset": IMAGE_DATASET}),
        ("get_model", lambda s: {"model": s.jobs["train"]["handle"]["id"]}),
        ("delete_model", lambda s: {"model": s.jobs["train"]["handle"]["id"]}),
    ],
    "sagemaker": [
        ("list_training_jobs", {}),
        ("get_training_job", _ended),
        ("stop_training_job", {"name": ELSEWHERE}),
        ("delete_training_job", _ended),
    ],
    "datarobot": [
        ("limits", {}),
        ("list_models", {"orderBy": "-updated", "searchFor": "churn"}),
        ("get_model", OF_MODEL),
        ("update_model", {**OF_MODEL, "changes": {"description": "better"}}),
        ("list_roles", OF_MODEL),
        ("set_roles", {**OF_MODEL, "roles": [{"username": "ann@example.com", "role": "EDITOR"}]}),
        ("list_versions", OF_MODEL),
        ("get_version", OF_VERSION),
        ("update_version", {**OF_VERSION, "changes": {"description": "first"}}),
        ("create_version", {**OF_MODEL, "files": [FILE]}),
        ("create_version_from_latest", {**OF_MODEL, "files": [{**FILE, "path": "x.py"}]}),
        ("download_model", OF_MODEL),
        ("download_version", OF_VERSION),
        ("list_tests", OF_MODEL),
        ("test_log", lambda s: {"customModelTestId": s.answers["list_tests"]["items"][-1]["id"]}),
        ("list_conversions", OF_VERSION),
        ("get_feature_impact", OF_VERSION),
        ("get_image_feature_impact", _image),
        ("start_image_feature_impact", lambda s: {**_image(s), "rowCount": 100}),
        ("list_statuses", {}),
        (
            "drop_status",
            lambda s: {"statusId": s.answers["list_statuses"]["items"][0]["statusId"]},
        ),
        ("create_model", {"name": "New", "customModelType": "training"}),
        ("copy_model", OF_MODEL),
        ("delete_model", lambda s: {"customModelId": s.answers["copy_model"]["id"]}),
    ],
}


def make_calls(client: Trainbell, service: Service) -> None:
    for call, given in CALLS[service.name]:
        before = len(service.asked)
        parameters = given(service) if callable(given) else given
        service.answers[call] = client.at_service(service.name, call, **parameters)
        service.by_call[call] = service.asked[before:]


# ---------------------------------------------------------------- the whole


@pytest.fixture(scope="module")
def gone_through(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Service]]:
    """All services, once every door of each was gone through."""
    folder = tmp_path_factory.mktemp("routes")
    services = {name: a_service(name) for name in SERVICES}
    world: Any = services["datarobot"].simulator
    model = world.world.add_model(AT_VERSIONS, "version-at-versions")
    world.world.models[AT_VERSIONS].given["isTrainingDataForVersionsPermanentlyEnabled"] = True
    assert model.id == "version-at-versions"
    aws: Any = services["sagemaker"].simulator
    started_elsewhere(aws)
    with ExitStack() as stack:
        urls = {n: stack.enter_context(running(s.simulator)) for n, s in services.items()}
        instance = stack.enter_context(EmbeddedInstance(folder / "data", port=0))
        client = stack.enter_context(Trainbell(instance.url, token=instance.token))
        for name, service in services.items():
            access = import_module(f"trainbell.simulators.{name}").ACCESS
            (folder / name).write_text(access.secret)
            connection = {
                "provider": name,
                "base_url": urls[name] + service.simulator.base_path,
                "secret": f"file:{folder / name}",
                "options": dict(access.options),
            }
            allow(folder / "data", connection)
            client.put("connections", name, connection)
            run_jobs(client, service)
            make_calls(client, service)
        yield services


def pattern(row: Mapping[str, Any]) -> re.Pattern[str]:
    parts = re.split(r"\{\w+\}", row["path"])
    return re.compile("[^/]+".join(re.escape(part) for part in parts))


def name_of(row: Mapping[str, Any]) -> str:
    return f"{row['service']} {row['method']} {row['path']}"


pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.mark.parametrize("row", ROUTES, ids=name_of)
def test_a_documented_route_is_reached(
    gone_through: Mapping[str, Service], row: Mapping[str, Any]
) -> None:
    service = gone_through[row["service"]]
    assert row["reached_by"], "nobody reaches this route"
    for door in row["reached_by"]:
        kind, _, name = door.partition(":")
        asked = service.by_call[name] if kind == "call" else service.asked
        hits = [path for method, path in asked if method == row["method"]]
        assert any(pattern(row).fullmatch(path) for path in hits), f"{door} does not reach it"


@pytest.mark.parametrize("service", SERVICES)
def test_every_call_and_kind_is_a_door_of_the_matrix(
    gone_through: Mapping[str, Service], service: str
) -> None:
    spec = import_module(f"trainbell.providers.{service}").PROVIDER
    doors = {door for row in ROUTES if row["service"] == service for door in row["reached_by"]}
    assert {f"call:{name}" for name in spec.calls} <= doors
    assert {f"kind:{name}" for name in spec.kinds} <= doors
    assert set(gone_through[service].by_call) == set(spec.calls)


def test_D6_the_input_dataset_is_shown_as_the_object_that_it_is(
    gone_through: Mapping[str, Service],
) -> None:
    shown = gone_through["deepva"].answers["get_training"]
    assert shown["source_dataset"]["number_of_images"] == 200
    assert shown["source_dataset"]["type"] == "face"


def test_A10_L8_D1_lists_and_deletions_do_what_they_say(
    gone_through: Mapping[str, Service],
) -> None:
    azure = gone_through["azure_vision"]
    assert "flowers-1" in {each["name"] for each in azure.answers["list_models"]["items"]}
    simulated: Any = azure.simulator
    assert "flowers-1" not in simulated.account.models
    lookout: Any = gone_through["lookout_vision"].simulator
    assert lookout.account.projects[PROJECT].models[1].status(lookout.clock.now()) in (
        "DELETING",
        "GONE",
    )
    deepva: Any = gone_through["deepva"].simulator
    assert deepva.account.trainings == {}


def test_R2_the_whole_log_of_a_test_comes_in_pieces(gone_through: Mapping[str, Service]) -> None:
    log = gone_through["datarobot"].answers["test_log"]
    assert len(log["text"]) == log["characters"] > 0
    assert log["next"] is None


def test_R5_the_deprecated_routes_of_an_image_do_what_the_versions_do(
    gone_through: Mapping[str, Service],
) -> None:
    answers = gone_through["datarobot"].answers
    assert answers["get_image_feature_impact"] == answers["get_feature_impact"]
    assert answers["start_image_feature_impact"]["statusId"]
