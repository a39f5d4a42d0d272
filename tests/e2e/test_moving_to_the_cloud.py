"""An embedded Trainbell is outgrown: its running jobs go on in the cloud, and end there once."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import scenario
from tests.e2e.cloud_stack import Stack, deployed
from tests.e2e.inbox import Inbox
from tests.e2e.ministack_server import REGION
from tests.e2e.up_process import TRAINBELL, UpProcess
from tests.open_secrets import allow
from trainbell.client import ApiProblem, Trainbell
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.deepva.service import API_KEY, DeepVASimulator
from trainbell.simulators.deepva.trainings import FACE_DATASET
from trainbell.simulators.server import running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

JOBS = int(os.environ.get("TRAINBELL_TEST_MOVED_JOBS", "25"))
FAILS = 5
"""Every fifth training fails by itself."""
PATIENCE_SECONDS = 20 + 4.0 * JOBS


@pytest.fixture
def service() -> Iterator[scenario.Service]:
    """Its time stands still until everything has moved."""
    simulator = DeepVASimulator(SimulatorClock(speed=0))
    with running(simulator) as url:
        yield scenario.Service(url + simulator.base_path, simulator)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with deployed(tmp_path) as stack:
        stack.silence_rules()
        yield stack


def test_running_jobs_move_to_the_cloud_and_end_there_once(
    tmp_path: Path, stack: Stack, service: scenario.Service
) -> None:
    file = tmp_path / "everything.jsonl"
    topic = Inbox.of_topic(stack)
    with UpProcess(tmp_path, {"DEEPVA_KEY": API_KEY}) as up:
        connection = {"provider": "deepva", "base_url": service.url}
        ids = start_all(up, connection, service)
        trainbell(up.environment, "export", "--move", str(file))
        assert API_KEY not in file.read_text()
        with stack.trainbell() as cloud:
            connect(stack, cloud, connection)
            at_cloud = environment_of(stack)
            cut = tmp_path / "cut.jsonl"
            cut.write_bytes(file.read_bytes()[:-1])
            assert "cut off" in trainbell(at_cloud, "import", str(cut), status=2)
            refused = trainbell(at_cloud, "import", str(file), status=2)
            assert "connection faces is here already, and differs" in refused
            assert cloud.jobs()["items"] == []
            trainbell(at_cloud, "import", "--keep", str(file))
            service.simulator.clock.speed = 10
            ended = all_ended(cloud, ids)
            ends = {job["name"]: job["state"] for job in ended.values()}
            assert ends == {f"job-{n}": right_end(n) for n in range(JOBS)}
            again = trainbell(at_cloud, "import", "--keep", str(file))
            assert "0 records stored" in again
        assert Counter(service.simulator.starts) == {f"trainbell:{job_id}": 1 for job_id in ids}
        with up.client() as old:
            assert not any(job["has_ended"] for job in old.all_of("/v1/jobs"))
    stack.invoke("PublishChangesFunction")
    told = Counter(each["subject"] for each in topic.everything() if each["type"] == "JobFinished")
    assert told == dict.fromkeys(ids, 1)


def right_end(number: int) -> str:
    return "failed" if number % FAILS == FAILS - 1 else "succeeded"


def start_all(
    up: UpProcess, connection: Mapping[str, Any], service: scenario.Service
) -> dict[str, int]:
    """The ids of jobs that all run, with their numbers."""
    with up.client() as client:
        body = {**connection, "secret": "env:DEEPVA_KEY"}
        allow(up.data_dir, body)
        client.put("connections", "faces", body)
        ids = {}
        for number in range(JOBS):
            error = "diverged" if right_end(number) == "failed" else ""
            service.simulator.apply_settings(
                {"plan": {"waiting_seconds": 0, "processing_seconds": 20, "error": error}}
            )
            ids[client.start(request(number))["id"]] = number
            wait_until(lambda: len(service.simulator.starts) == len(ids))
        wait_until(lambda: client.call("GET", "/v1/health")["active_jobs"] == {"running": JOBS})
        return ids


def request(number: int) -> dict[str, Any]:
    return {
        "provider": "deepva",
        "connection": "faces",
        "name": f"job-{number}",
        "parameters": {"source_dataset_id": FACE_DATASET, "output_model_name": f"model-{number}"},
        "min_interval_seconds": 1,
        "max_interval_seconds": 4,
    }


def connect(stack: Stack, cloud: Trainbell, connection: Mapping[str, Any]) -> None:
    """The same account, with the cloud's own reference to its key."""
    body = {**connection, "secret": stack.keep_secret("deepva", API_KEY)}
    stack.allow(body)
    cloud.put("connections", "faces", body)
    assert cloud.test("connections", "faces")["ok"]


def environment_of(stack: Stack) -> dict[str, str]:
    return {
        **os.environ,
        "TRAINBELL_URL": f"{stack.cloud.url}/_aws/execute-api/{stack.outputs['ApiId']}/$default",
        "TRAINBELL_SIGN": "1",
        "AWS_ACCESS_KEY_ID": str(stack.key.access_key),
        "AWS_SECRET_ACCESS_KEY": str(stack.key.secret_key),
        "AWS_DEFAULT_REGION": REGION,
    }


def trainbell(environment: Mapping[str, str], *words: str, status: int = 0) -> str:
    """Run the command; what it said."""
    done = subprocess.run(
        [TRAINBELL, *words], env=environment, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == status, said
    return " ".join(said.split())


def all_ended(client: Trainbell, ids: Mapping[str, int]) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        jobs = all_jobs(client)
        if jobs.keys() == ids.keys() and all(job["has_ended"] for job in jobs.values()):
            return jobs
        assert time.monotonic() < deadline, Counter(job["state"] for job in jobs.values())
        time.sleep(0.5)


def all_jobs(client: Trainbell) -> dict[str, Any]:
    """None, where the watchers take all the functions that this small cloud runs at once."""
    try:
        return {job["id"]: job for job in client.all_of("/v1/jobs", limit=100)}
    except ApiProblem as problem:
        if not problem.passes:
            raise
        return {}


def wait_until(is_so: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
