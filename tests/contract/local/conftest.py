"""The machine, and a process that is none of its business."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.contract.local.machine import SLEEP, Machine, until


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    for process in made.processes():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    until(lambda: not made.processes())


@pytest.fixture
def foreign() -> Iterator[subprocess.Popen[bytes]]:
    """A process of somebody else, leader of its own group."""
    with subprocess.Popen(SLEEP, start_new_session=True) as process:
        yield process
        process.kill()
