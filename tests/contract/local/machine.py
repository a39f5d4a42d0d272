"""A machine for the local provider's tests: real processes below one data directory."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from trainbell.clock import SystemClock
from trainbell.domain.job import State
from trainbell.domain.observation import Observation
from trainbell.ports import StartOrder
from trainbell.providers.local.launching import SUPERVISOR
from trainbell.providers.local.parameters import LocalOptions
from trainbell.providers.local.provider import LocalProvider
from trainbell.providers.local.run_directory import RunDirectory

PATIENCE_SECONDS = 20.0
EXAMPLES = Path(__file__).parents[3] / "examples"
SLEEP = ["sleep", "60"]
LOOP = "touch up; while :; do sleep 0.05; done"


class Machine:
    """A data directory, its provider, and everything that runs below it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.root = data_dir / "local"
        self.provider = self.a_provider()
        self.orders = 0

    def a_provider(self, **given: Any) -> LocalProvider:
        """As after a restart of Trainbell: nothing is kept but the disk."""
        environment = {"PATH": os.environ["PATH"], "HOME": "/h", "TRAINBELL_TOKEN": "t", "KEY": "k"}
        fields = {"options": LocalOptions(), "own_environment": environment, **given}
        return LocalProvider(root=self.root, clock=SystemClock(), **fields)

    def order(self, *command: str, **parameters: Any) -> StartOrder:
        self.orders += 1
        return StartOrder(
            job_id=f"job{self.orders}",
            kind="train",
            parameters={"command": list(command), "cwd": str(self.data_dir), **parameters},
        )

    def shell(self, script: str, **parameters: Any) -> StartOrder:
        return self.order("/bin/sh", "-c", script, **parameters)

    def run(self, order: StartOrder) -> Observation:
        return self.end_of(self.provider.start(order))

    def end_of(self, handle: Mapping[str, Any]) -> Observation:
        until(lambda: state(self.provider.poll(handle)).is_end)
        return self.provider.poll(handle)

    def file(self, order: StartOrder, name: str) -> Path:
        return self.root / order.job_id / name

    def record(self, order: StartOrder, name: str) -> dict[str, Any]:
        until(self.file(order, name).exists)
        record: dict[str, Any] = json.loads(self.file(order, name).read_bytes())
        return record

    def kill_supervisor(self, order: StartOrder) -> None:
        self.record(order, "process.json")
        supervisor = psutil.Process(self.record(order, "launch.json")["supervisor"])
        supervisor.kill()
        until(lambda: not alive(supervisor))

    def is_gone(self, order: StartOrder) -> bool:
        return not RunDirectory(self.root / order.job_id).is_alive()

    def processes(self) -> list[psutil.Process]:
        """All that has one of our run directories open or in its environment."""
        return [p for p in psutil.process_iter() if belongs(p, self.root)]


def state(observation: Observation) -> State:
    assert observation.state is not None
    return observation.state


def alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def belongs(process: psutil.Process, root: Path) -> bool:
    with contextlib.suppress(psutil.Error):
        if str(root) in process.environ().get("TRAINBELL_PROGRESS_FILE", ""):
            return True
        return str(SUPERVISOR) in process.cmdline() and any(
            file.path.startswith(str(root)) for file in process.open_files()
        )
    return False


def until(condition: Callable[[], bool]) -> None:
    """Wait for real processes, which no fake clock can hurry."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
