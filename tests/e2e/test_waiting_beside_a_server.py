"""A command that waits never keeps a server from coming back."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.up_process import TRAINBELL, UpProcess

pytestmark = pytest.mark.e2e


def trainbell(up: UpProcess, *args: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "TRAINBELL_DATA_DIR": str(up.data_dir)}
    environment.pop("TRAINBELL_URL", None)
    return subprocess.Popen(
        [TRAINBELL, *args],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def a_job(up: UpProcess, seconds: int) -> str:
    command = json.dumps(["sleep", str(seconds)])
    quick = ("--min-interval", "1", "--max-interval", "1")
    started = trainbell(
        up, "start", "--provider", "local", "-p", f"command={command}", "--json", *quick
    )
    out, err = started.communicate(timeout=30)
    assert started.returncode == 0, err
    return str(json.loads(out)["id"])


def test_a_command_that_watches_by_itself_makes_room_for_a_server(tmp_path: Path) -> None:
    with UpProcess(tmp_path) as up:
        job_id = a_job(up, 5)
        up.kill()
        waiting = trainbell(up, "wait", job_id)
        assert waiting.stderr is not None
        while "watches the job itself" not in (line := waiting.stderr.readline()):
            assert line
        up.start()  # Fails where the directory is "in use".
        _, said = waiting.communicate(timeout=60)
        assert waiting.returncode == 0, said
        assert "a server takes over" in said
        served = trainbell(up, "show", job_id, "--json")
        assert json.loads(served.communicate(timeout=30)[0])["state"] == "succeeded"


def test_a_server_that_comes_back_soon_is_waited_for(tmp_path: Path) -> None:
    with UpProcess(tmp_path) as up:
        job_id = a_job(up, 4)
        waiting = trainbell(up, "wait", job_id)
        assert waiting.stderr is not None
        assert all(job_id in waiting.stderr.readline() for _ in range(2))
        up.kill()
        while "nothing answers" not in (line := waiting.stderr.readline()):
            assert line
        up.start()
        _, said = waiting.communicate(timeout=60)
        assert waiting.returncode == 0, said
        assert "takes over" not in said  # It never took the server's place.
