"""One job at each of the five documented services, side by side in one deployed stack."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from tests.e2e.cloud_stack import Stack, deployed
from tests.e2e.inbox import Inbox
from tests.e2e.scenario import Job, is_ended, wait_for
from trainbell.client import Trainbell
from trainbell.simulators.__main__ import access, simulator
from trainbell.simulators.azure_vision.account import CLASSIFICATION_DATASET
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.datarobot.world import DATASET, MODEL, VERSION
from trainbell.simulators.deepva.trainings import FACE_DATASET
from trainbell.simulators.einstein.trainings import IMAGE_DATASET
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.simulators.lookout_vision.account import PROJECT
from trainbell.simulators.server import running
from trainbell.simulators.service import SimulatedService

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SUCCEEDED = ("succeeded", "completed")
FAILED = ("failed", "service_failed")
CANCELLED = ("cancelled", "cancel_confirmed")
NEVER_BY_ITSELF = 100_000.0
LONGEST_WORD_THAT_IS_NO_SECRET = 15


@dataclass(frozen=True, kw_only=True)
class Case:
    """A job, how its service is to take it, and what the API says of it at its end.

    `plan` is the simulator's own. `performance`: the parts of it that are compared, each whole.
    `last_error`: members that it must have; None where it must not be there.
    """

    kind: str = "train"
    parameters: Mapping[str, Any]
    plan: Mapping[str, Any]
    end: tuple[str, str] = SUCCEEDED
    performance: Mapping[str, Any]
    last_error: Mapping[str, Any] | None = None


CASES: Mapping[str, Case] = {
    "azure_vision": Case(
        parameters={
            "model_name": "flowers-1",
            "model_kind": "Generic-Classifier",
            "training_dataset_name": CLASSIFICATION_DATASET,
            "time_budget_in_hours": 1,
        },
        plan={
            "waiting_seconds": 1,
            "working_seconds": 2,
            "error": {"code": "diverged", "message": "The loss is no number."},
        },
        end=FAILED,
        # A training that failed costs as well: each minute that it began.
        performance={"metrics": {}, "cost": {"training_minutes": 1}},
        last_error={
            "type": "JobFailed",
            "message": "diverged: The loss is no number.",
            "vendor_code": "diverged",
        },
    ),
    "datarobot": Case(
        kind="test",
        parameters={
            "customModelId": MODEL,
            "customModelVersionId": VERSION,
            "datasetId": DATASET,
        },
        plan={"queued_seconds": 1, "running_seconds": NEVER_BY_ITSELF},
        end=CANCELLED,
        # Two of its four checks were not asked for, and two did not come to their end.
        performance={"metrics": {"checks_skipped": 2, "checks_canceled": 2}, "cost": {}},
    ),
    "deepva": Case(
        parameters={"source_dataset_id": FACE_DATASET, "output_model_name": "faces"},
        plan={"waiting_seconds": 1, "processing_seconds": 3},
        performance={"metrics": {}, "cost": {"service_seconds": 3}},
    ),
    "einstein": Case(
        parameters={"datasetId": IMAGE_DATASET, "name": "beach or mountain", "epochs": 3},
        plan={"queued_seconds": 1, "running_seconds": 2},
        performance={
            "metrics": {
                "labels": 2,
                "examples": 150,
                "trainSplitSize": 135,
                "testSplitSize": 15,
                "lastEpochDone": 3,
                "testAccuracy": ANY,
                "trainingAccuracy": ANY,
                "trainingLoss": ANY,
            },
            "curve": [
                {"epoch": n, "testAccuracy": ANY, "trainingAccuracy": ANY, "trainingLoss": ANY}
                for n in (1, 2, 3)
            ],
            "cost": {
                "total_seconds": 2,
                "training_seconds": 1.92,
                "dataset_load_seconds": 0.06,
                "model_save_seconds": 0.02,
            },
        },
    ),
    "lookout_vision": Case(
        parameters={
            "ProjectName": PROJECT,
            "OutputConfig": {"S3Location": {"Bucket": "lookout-results"}},
        },
        plan={"training_seconds": 3, "f1_score": 0.9, "precision": 0.875, "recall": 0.925},
        performance={
            "metrics": {"F1Score": 0.9, "Precision": 0.875, "Recall": 0.925},
            "cost": {},
        },
    ),
}
"""One of them fails and one is cancelled; `TROUBLED` is down for a while."""
TROUBLED = "lookout_vision"
OUTAGE = Fault(kind=FaultKind.ERROR, method="GET", path=r"/models/1$", status=503, times=None)


@dataclass(frozen=True)
class Service:
    """A simulated service on a real socket."""

    name: str
    simulator: SimulatedService
    url: str


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with deployed(tmp_path) as stack:
        stack.silence_rules()
        yield stack


@pytest.fixture
def services() -> Iterator[Sequence[Service]]:
    with ExitStack() as life:
        found = []
        for name, case in CASES.items():
            simulated = simulator(name, SimulatorClock())
            simulated.apply_settings({"plan": case.plan})
            url = life.enter_context(running(simulated)) + simulated.base_path
            found.append(Service(name, simulated, url))
        yield found


def test_a_job_at_each_of_the_five_services_ends_rightly(
    stack: Stack, services: Sequence[Service]
) -> None:
    inbox = Inbox.of_topic(stack)
    with stack.trainbell() as trainbell:
        for service in services:
            connect(stack, trainbell, service)
        ids = start_all(trainbell, services)
        for name, case in CASES.items():
            if case.end == CANCELLED:
                cancel_once_running(trainbell, ids[name])
        ended = {name: wait_for(trainbell, job_id, is_ended) for name, job_id in ids.items()}
        for name, job in ended.items():
            assert_ended_rightly(job, CASES[name])
        assert {s.name: s.simulator.starts.total() for s in services} == dict.fromkeys(CASES, 1)
        assert_told_once(stack, inbox, ended)
        shown = [trainbell.all_of(path) for path in ("/v1/jobs", "/v1/connections")]
        shown += [trainbell.events(job_id) for job_id in ids.values()]
        assert_no_secret_in(json.dumps([*ended.values(), *map(list, shown), *inbox.everything()]))


def connect(stack: Stack, trainbell: Trainbell, service: Service) -> None:
    given = access(service.name)
    body = {
        "provider": service.name,
        "base_url": service.url,
        "secret": stack.keep_secret(service.name, given.secret),
        "options": given.options,
    }
    stack.allow(body)
    trainbell.put("connections", service.name, body)
    assert trainbell.test("connections", service.name)["ok"]


def start_all(trainbell: Trainbell, services: Sequence[Service]) -> Mapping[str, str]:
    """The ids of the jobs by provider. One service is down until the API has said so."""
    [troubled] = (service.simulator for service in services if service.name == TROUBLED)
    troubled.faults.add(OUTAGE)
    ids = {service.name: trainbell.start(request(service.name))["id"] for service in services}
    job = wait_for(trainbell, ids[TROUBLED], lambda seen: seen["last_error"] is not None)
    assert (job["last_error"]["type"], job["last_error"]["http_status"]) == (
        "ProviderUnavailable",
        OUTAGE.status,
    )
    assert not job["has_ended"]
    assert job["next_poll_at"]
    troubled.faults.replace()
    return ids


def request(name: str) -> dict[str, Any]:
    return {
        "provider": name,
        "connection": name,
        "kind": CASES[name].kind,
        "parameters": CASES[name].parameters,
        "min_interval_seconds": 1,
        "max_interval_seconds": 1,
    }


def cancel_once_running(trainbell: Trainbell, job_id: str) -> None:
    wait_for(trainbell, job_id, lambda seen: seen["state"] == "running")
    asked = trainbell.cancel(job_id)
    assert (asked["state"], asked["may_still_cost"]) == ("cancelling", True)


def assert_ended_rightly(job: Job, case: Case) -> None:
    assert (job["state"], job["end_reason"]) == case.end
    assert not job["may_still_cost"]
    performance = {part: job["performance"][part] for part in case.performance}
    assert performance == case.performance
    error = job["last_error"]
    if case.last_error is None:
        assert error is None
    else:
        assert {name: error[name] for name in case.last_error} == case.last_error
        assert job["message"] == error["message"]


def assert_told_once(stack: Stack, inbox: Inbox, ended: Mapping[str, Job]) -> None:
    """With the state that the API shows, and no second time by the minute's retry."""
    for job in ended.values():
        [end] = inbox.about(job["id"], {"JobFinished"})
        told = end["data"]["job"]
        assert (told["state"], told["performance"]) == (job["state"], job["performance"])
    stack.invoke("PublishChangesFunction")
    ends = Counter(e["subject"] for e in inbox.everything() if e["type"] == "JobFinished")
    assert ends == {job["id"]: 1 for job in ended.values()}


def assert_no_secret_in(shown: str) -> None:
    """Nor a part of one: secrets are keys, JSON with keys in it, and lines of PEM."""
    for name in CASES:
        words = re.findall(r"[^\s\"']+", access(name).secret)
        secrets = [word for word in words if len(word) > LONGEST_WORD_THAT_IS_NO_SECRET]
        assert secrets
        assert not [secret for secret in secrets if secret in shown]
