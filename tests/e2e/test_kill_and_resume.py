"""`kill -9` of `trainbell up` while 40 jobs are started and run: each is trained once, ended once,
and told."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from tests.e2e.up_process import UpProcess
from tests.open_secrets import allow
from trainbell.client import NotReached, Trainbell
from trainbell.simulators.deepva.service import API_KEY
from trainbell.simulators.deepva.trainings import FACE_DATASET
from trainbell.simulators.slack import SlackReceiver

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SEED = 20261121
LOCAL_JOBS = DEEPVA_JOBS = 20
JOBS = LOCAL_JOBS + DEEPVA_JOBS
KILLS_DURING_STARTS = 4
KILLS_DURING_RUNS = 3
PATIENCE_SECONDS = 120.0

LOCAL_TRAINING = """
echo "$TRAINBELL_JOB_ID" >> "$1"
for step in 1 2 3 4 5; do
  echo '{"progress": 0.'$step', "metrics": {"accuracy": 0.9'$step'}}' >> "$TRAINBELL_PROGRESS_FILE"
  sleep "$2"
done
exit "$3"
"""
TOLD_JOB = re.compile(r"· job ([0-9a-z]{26})$")


@dataclass
class World:
    """One Trainbell that may be down, and what it deals with."""

    up: UpProcess
    deepva_url: str
    slack: SlackReceiver
    launches: Path
    random: Random = field(default_factory=lambda: Random(SEED))

    def connect(self) -> None:
        with self.up.client() as client:
            deepva = {
                "provider": "deepva",
                "base_url": f"{self.deepva_url}/api/v1",
                "secret": "env:DEEPVA_KEY",
                # What the simulator takes, it takes within this; the service itself may be slower.
                "settle_seconds": 10,
            }
            allow(self.up.data_dir, deepva)
            client.put("connections", "deepva", deepva)
            client.put("channels", "team", {"kind": "slack", "secret": "env:SLACK_URL"})

    def request(self, number: int) -> dict[str, Any]:
        """Every fifth training fails by itself."""
        fails = number % 5 == 4
        body: dict[str, Any] = {
            "name": f"job-{number}",
            "min_interval_seconds": 1,
            "max_interval_seconds": 2,
        }
        if number < LOCAL_JOBS:
            seconds, code = str(1.0 + number % 3 / 10), "3" if fails else "0"
            command = ["sh", "-c", LOCAL_TRAINING, "train", str(self.launches), seconds, code]
            return {**body, "provider": "local", "parameters": {"command": command}}
        parameters = {"source_dataset_id": FACE_DATASET, "output_model_name": f"model-{number}"}
        return {**body, "provider": "deepva", "parameters": parameters}

    def start_job(self, number: int) -> str:
        """As a patient client does it: the same key again until there is an answer."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with Trainbell(self.up.url, token=self.up.token) as client:
            while True:
                try:
                    return str(
                        client.start(self.request(number), idempotency_key=f"key-{number}")["id"]
                    )
                except NotReached:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)

    def kill_and_restart(self, at_least: float, at_most: float) -> None:
        time.sleep(self.random.uniform(at_least, at_most))
        self.up.kill()
        self.up.start()

    def counters(self) -> dict[str, Any]:
        answer = httpx.get(f"{self.deepva_url}/_simulator/counters", trust_env=False)
        counters: dict[str, Any] = answer.raise_for_status().json()
        return counters


def test_forty_jobs_survive_kill_9(tmp_path: Path) -> None:
    with _world(tmp_path) as world:
        world.connect()
        with ThreadPoolExecutor(8) as pool:
            starts = [pool.submit(world.start_job, number) for number in range(JOBS)]
            for _ in range(KILLS_DURING_STARTS):
                world.kill_and_restart(0.02, 0.25)
        ids = [start.result() for start in starts]
        for _ in range(KILLS_DURING_RUNS):
            world.kill_and_restart(0.3, 3.0)
        jobs = _wait_until_told(world)

        assert len(set(ids)) == JOBS
        assert sorted(job["id"] for job in jobs) == sorted(ids)  # 40 rows, no more
        by_end = Counter((job["provider"], job["state"]) for job in jobs)
        assert by_end == {
            ("local", "succeeded"): 16,
            ("local", "failed"): 4,
            ("deepva", "succeeded"): 20,
        }
        _assert_trained_once(world, jobs)
        _assert_told(world, jobs)
        assert world.up.end() == 0
    assert "Traceback" not in world.up.said


@contextmanager
def _world(directory: Path) -> Iterator[World]:
    with SlackReceiver() as slack, _deepva_process() as deepva_url:
        environment = {"DEEPVA_KEY": API_KEY, "SLACK_URL": slack.url}
        with UpProcess(directory, environment) as up:
            yield World(up, deepva_url, slack, directory / "launches")


@contextmanager
def _deepva_process() -> Iterator[str]:
    """The simulator's root URL. A training waits for 2 s and takes 8 s more."""
    command = [sys.executable, "-m", "trainbell.simulators", "deepva"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            root = process.stdout.readline().strip().removesuffix("/api/v1")
            plan = {"waiting_seconds": 2.0, "processing_seconds": 8.0}
            settings = {"plan": plan}
            url = f"{root}/_simulator/settings"
            httpx.post(url, json=settings, trust_env=False).raise_for_status()
            yield root
        finally:
            process.terminate()


def _wait_until_told(world: World) -> list[dict[str, Any]]:
    """All jobs, once each has ended and its end was delivered."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with world.up.client() as client:
        while True:
            jobs = list(client.all_of("/v1/jobs"))
            told = {_job_of(message) for message in world.slack.messages}
            ended = all(job["has_ended"] for job in jobs)
            if ended and len(told) >= JOBS and all(_is_settled(client, job) for job in jobs):
                return jobs
            assert time.monotonic() < deadline, _still_open(jobs, told)
            time.sleep(0.25)


def _is_settled(client: Trainbell, job: dict[str, Any]) -> bool:
    return all(each["state"] != "pending" for each in client.deliveries(job["id"]))


def _still_open(jobs: list[dict[str, Any]], told: set[str]) -> list[tuple[Any, ...]]:
    return [
        (job["name"], job["state"], job["last_error"], job["next_poll_at"], job["id"] in told)
        for job in jobs
        if not job["has_ended"] or job["id"] not in told
    ]


def _assert_trained_once(world: World, jobs: list[dict[str, Any]]) -> None:
    local = sorted(job["id"] for job in jobs if job["provider"] == "local")
    assert sorted(world.launches.read_text().split()) == local
    runs = world.up.data_dir / "local"
    assert sorted(path.name for path in runs.iterdir()) == local
    deepva = {f"trainbell:{job['id']}": 1 for job in jobs if job["provider"] == "deepva"}
    assert world.counters()["starts"] == deepva


def _assert_told(world: World, jobs: list[dict[str, Any]]) -> None:
    """At least once each; a repeat is the very same message."""
    messages: dict[str, list[Any]] = {}
    for message in world.slack.messages:
        messages.setdefault(_job_of(message), []).append(message)
    assert sorted(messages) == sorted(job["id"] for job in jobs)
    for same in messages.values():
        assert all(message == same[0] for message in same)
    with world.up.client() as client:
        for job in jobs:
            events = list(client.events(job["id"]))
            finished = [event["id"] for event in events if event["type"] == "JobFinished"]
            assert len(finished) == 1
            (delivery,) = client.deliveries(job["id"])
            assert delivery["id"] == f"{finished[0]}:team"
            assert delivery["state"] == "delivered"


def _job_of(message: dict[str, Any]) -> str:
    told = TOLD_JOB.search(message["blocks"][-1]["elements"][0]["text"])
    assert told is not None, message
    return told[1]
