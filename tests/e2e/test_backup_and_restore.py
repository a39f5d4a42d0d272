"""A backup of a Trainbell at work; `kill -9`; a restore: its jobs go on, none is started twice."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import scenario
from tests.e2e.up_process import TRAINBELL, UpProcess
from tests.open_secrets import allow
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.deepva.service import API_KEY, DeepVASimulator
from trainbell.simulators.deepva.trainings import FACE_DATASET
from trainbell.simulators.server import running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

JOBS = 20
PATIENCE_SECONDS = 60.0


def test_jobs_go_on_from_a_backup(tmp_path: Path) -> None:
    simulator = DeepVASimulator(SimulatorClock(speed=0))
    simulator.apply_settings({"plan": {"waiting_seconds": 0, "processing_seconds": 2}})
    copy = tmp_path / "copy.sqlite3"
    with running(simulator) as url, UpProcess(tmp_path, {"DEEPVA_KEY": API_KEY}) as up:
        connection = {
            "provider": "deepva",
            "base_url": url + simulator.base_path,
            "secret": "env:DEEPVA_KEY",
        }
        allow(up.data_dir, connection)
        with up.client() as client:
            client.put("connections", "deepva", connection)
            # While they are being started: some are sent in the backup, and some only after it.
            ids = [client.start(request(number))["id"] for number in range(JOBS)]
        run(up, "backup", str(copy))
        wait_until(lambda: sum(simulator.starts.values()) == JOBS)
        up.kill()
        run(up, "restore", "--replace", str(copy))
        up.start()
        simulator.clock.speed = 10
        with up.client() as client:
            wait_until(lambda: all(job["has_ended"] for job in client.all_of("/v1/jobs")))
            ends = {job["id"]: job["state"] for job in client.all_of("/v1/jobs")}
    assert ends == dict.fromkeys(ids, "succeeded")
    assert Counter(simulator.starts) == {f"trainbell:{job_id}": 1 for job_id in ids}


def request(number: int) -> scenario.Job:
    parameters = {"source_dataset_id": FACE_DATASET, "output_model_name": f"model-{number}"}
    return {
        "provider": "deepva",
        "name": f"job-{number}",
        "parameters": parameters,
        "min_interval_seconds": 1,
        "max_interval_seconds": 2,
    }


def run(up: UpProcess, *words: str) -> None:
    done = subprocess.run(
        [TRAINBELL, *words], env=up.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
