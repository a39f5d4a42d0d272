"""The same scenario on one machine: `trainbell up` as a process, killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import scenario
from tests.open_secrets import allow
from trainbell.client import Trainbell
from trainbell.embedded.data_dir import running_server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

TRAINBELL = Path(sys.executable).with_name("trainbell")
READY_SECONDS = 20.0


class EmbeddedEngine:
    secret = "env:DEEPVA_KEY"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process = self._up()

    def trainbell(self) -> Trainbell:
        server = running_server(self._directory / "data")
        assert server is not None
        return Trainbell(server.url, token=server.token)

    def allow(self, connection: scenario.Job) -> None:
        allow(self._directory / "data", connection)

    def interrupt(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process = self._up()

    def end(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(15)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _up(self) -> subprocess.Popen[bytes]:
        with (self._directory / "log").open("ab") as log:
            process = subprocess.Popen(
                [TRAINBELL, "up", "--port", "0", "--data-dir", self._directory / "data"],
                env={**os.environ, "DEEPVA_KEY": scenario.DEEPVA_KEY},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + READY_SECONDS
        while running_server(self._directory / "data") is None:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise RuntimeError((self._directory / "log").read_text())
            time.sleep(0.05)
        return process


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tmp_path)
    try:
        yield engine
    finally:
        engine.kill()


def test_one_job_end_to_end_on_one_machine(engine: EmbeddedEngine) -> None:
    with scenario.deepva() as service:
        scenario.connect(engine, service)
        scenario.bad_input_is_refused_whole(engine, service)
        scenario.a_job_is_started_once_and_seen_to_its_end(engine, service)
        scenario.a_job_survives_the_end_of_all_that_watches_it(engine, service)
    assert engine.end() == 0
