"""A Trainbell among services that do their worst, local runs with FIFOs, and callers in a hurry.

Each request that a hostile service gets is answered by the next of the ways in which a server can
keep a caller (`tests.hostile_servers`). Stands under a test and under `benchmarks/hostile.py`.
"""

from __future__ import annotations

import itertools
import math
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.e2e.test_every_kind import JOBS
from tests.e2e.up_process import UpProcess
from tests.hostile_servers import HOSTILE, serving
from tests.open_secrets import allow
from trainbell.client import Trainbell

SERVICES = 3
JOBS_EACH = 66
PATIENCE_SECONDS = 60.0
ENVIRONMENT = {"HOSTILE_KEY": "a-key-for-nobody"}

TRAIN = """
import pathlib, sys, time
begun, ended = map(pathlib.Path, sys.argv[1:])
begun.write_text(str(time.time()))
time.sleep(0.5)
ended.write_text(str(time.time()))
"""


FIFO = 'mkfifo "$TRAINBELL_PROGRESS_FILE" && exec sleep 600'


class Crowd:
    """Counts the requests that hostile services are keeping at this moment."""

    def __init__(self) -> None:
        self._turn = itertools.count()
        self._lock = threading.Lock()
        self.met = 0
        self.kept = 0

    def act(self, client: socket.socket, stopped: threading.Event) -> None:
        with self._lock:
            self.met += 1
            self.kept += 1
        try:
            HOSTILE[next(self._turn) % len(HOSTILE)](client, stopped)
        finally:
            with self._lock:
                self.kept -= 1


@contextmanager
def hostile_services(
    up: UpProcess, trainbell: Trainbell, jobs_each: int = JOBS_EACH
) -> Iterator[Crowd]:
    """Connections `bad0` … with as many jobs as each is to have. `up` is killed at the end, so
    that nobody calls servers that are gone."""
    crowd = Crowd()
    kind, parameters = next(iter(JOBS["deepva"].items()))
    with ExitStack() as stack:
        for number in range(SERVICES):
            url = stack.enter_context(serving(crowd.act))
            body = {"provider": "deepva", "base_url": url, "secret": "env:HOSTILE_KEY"}
            allow(up.data_dir, body)
            trainbell.put("connections", f"bad{number}", body)
        stack.callback(up.kill)
        order = {"provider": "deepva", "kind": kind, "parameters": parameters}

        def start(number: int) -> None:
            with up.client() as own:
                own.start({**order, "connection": f"bad{number % SERVICES}"})

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(start, range(SERVICES * jobs_each)))
        yield crowd


@contextmanager
def runs_with_fifos(trainbell: Trainbell, runs: int) -> Iterator[None]:
    """Local runs that put a FIFO, which nobody writes to, in the place of their progress file."""
    command = ["/bin/sh", "-c", FIFO]
    order = {"provider": "local", "kind": "train", "parameters": {"command": command}}
    with ThreadPoolExecutor(4) as pool:
        jobs = list(pool.map(lambda _: trainbell.start(order)["id"], range(runs)))
    patience = time.monotonic() + PATIENCE_SECONDS
    while any(trainbell.job(job)["state"] != "running" for job in jobs):
        assert time.monotonic() < patience, [trainbell.job(job) for job in jobs][:1]
        time.sleep(0.2)
    try:
        yield
    finally:
        for job in jobs:
            trainbell.cancel(job)
        # Their supervisors end them, and are seen to, while the server still lives.
        while any(not trainbell.job(job)["has_ended"] for job in jobs):
            assert time.monotonic() < patience + PATIENCE_SECONDS
            time.sleep(0.2)


def a_local_job(trainbell: Trainbell, folder: Path) -> tuple[float, float]:
    """Seconds from its request to its begin, and from its end to the end being told."""
    begun, ended = folder / "begun", folder / "ended"
    command = [sys.executable, "-I", "-c", TRAIN, str(begun), str(ended)]
    requested_at = time.time()
    job = trainbell.start(
        {"provider": "local", "kind": "train", "parameters": {"command": command}}
    )
    patience = time.monotonic() + PATIENCE_SECONDS
    while trainbell.job(job["id"])["state"] != "succeeded":
        assert time.monotonic() < patience, trainbell.job(job["id"])
        time.sleep(0.05)
    seen_at = time.time()
    return float(begun.read_text()) - requested_at, seen_at - float(ended.read_text())


class Health:
    """Asks for it all the time, on a connection of its own each time."""

    def __init__(self, up: UpProcess) -> None:
        self._url, self._headers = up.url, {"Authorization": f"Bearer {up.token}"}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.took: list[float] = []

    def __enter__(self) -> Health:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def p99(self) -> float:
        return sorted(self.took)[math.ceil(len(self.took) * 0.99) - 1]

    def _ask(self) -> None:
        while not self._stopped.wait(0.05):
            begun = time.monotonic()
            httpx.get(self._url + "/v1/health", headers=self._headers, trust_env=False, timeout=30)
            self.took.append(time.monotonic() - begun)


@dataclass(frozen=True)
class Measured:
    """All in seconds but `hostile_requests`; the worst of all local jobs."""

    start_seconds: float
    end_seconds: float
    health_p99_seconds: float
    hostile_requests: int


def measure(directory: Path, *, local_jobs: int, fifo_runs: int) -> Measured:
    """With everything hostile at once."""
    starts, ends = [], []
    with (
        UpProcess(directory, ENVIRONMENT) as up,
        up.client() as trainbell,
        hostile_services(up, trainbell) as crowd,
        runs_with_fifos(trainbell, fifo_runs),
        Health(up) as health,
    ):
        for number in range(local_jobs):
            folder = directory / str(number)
            folder.mkdir()
            started, told = a_local_job(trainbell, folder)
            starts.append(started)
            ends.append(told)
            time.sleep(1.0)  # The hostile ones go on meanwhile.
    return Measured(max(starts), max(ends), health.p99, crowd.met)
