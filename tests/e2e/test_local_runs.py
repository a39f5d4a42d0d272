"""Local trainings as people expect: their own environment, seen at once, whatever they do to files.

Times are bounded generously; what the test shows is that nobody waits for a polling interval, which
is two minutes for a local job.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.up_process import TRAINBELL, UpProcess
from trainbell.client import Trainbell

pytestmark = pytest.mark.e2e

PATIENCE_SECONDS = 60.0
SOON_SECONDS = 5.0
"""Far below the two minutes between two looks; far above what it takes on a busy machine."""

TRAIN = """
import json, os, sys, time
print(sys.prefix)
with open(os.environ["TRAINBELL_PROGRESS_FILE"], "a", buffering=1) as report:
    for step in range(1, 17):
        print(json.dumps({"progress": step / 20, "message": f"step {step}"}), file=report)
        time.sleep(0.25)
assert os.environ["WANDB_API_KEY"] == "canary", "not passed"
assert "NVIDIA_API_KEY" not in os.environ, "passed unasked"
print("loading weights", file=sys.stderr)
print("RuntimeError: CUDA out of memory, token=canary", file=sys.stderr)
sys.exit(1)
"""


@pytest.fixture
def up(tmp_path: Path) -> Iterator[UpProcess]:
    with UpProcess(tmp_path) as running:
        yield running


def test_a_training_under_an_environment_of_its_own_is_seen_as_it_happens(
    up: UpProcess, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    place = tmp_path / "digits"
    place.mkdir()
    (place / "train.py").write_text(TRAIN)
    environment = {
        **up.environment,
        "PATH": f"{venv / 'bin'}:{os.environ['PATH']}",
        "WANDB_API_KEY": "canary",
        "NVIDIA_API_KEY": "canary",
    }
    with subprocess.Popen(
        [TRAINBELL, "run", "--env", "WANDB_API_KEY", "--", "python", "train.py"],
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        with up.client() as client:
            job, seen = watched(client)
        out, said = run.communicate(timeout=PATIENCE_SECONDS)

    assert len({progress for _, progress in seen if progress is not None}) >= 4
    assert run.returncode == 3
    assert f"runs {venv}/bin/python train.py" in said
    assert "and by --env WANDB_API_KEY" in said
    assert job["message"].startswith("RuntimeError: CUDA out of memory, token=*** (the command")
    assert job["performance"] is not None or job["progress"] == 0.8
    assert span(job, "created_at", "started_at") < SOON_SECONDS
    with up.client() as client:
        assert client.logs(job["id"])[0] == str(venv)
        events = list(client.events(job["id"]))
    running, end = (at_of(events, kind) for kind in ("JobStateChanged", "JobFinished"))
    assert (running - moment(job["started_at"])).total_seconds() < SOON_SECONDS
    assert (end - moment(job["ended_at"])).total_seconds() < SOON_SECONDS
    assert "canary" not in out + said + json.dumps([job, events])


def test_fifos_in_the_place_of_files_stop_nobody(up: UpProcess, tmp_path: Path) -> None:
    """67: one more than all threads that one connection may keep waiting, and three besides."""
    script = (
        'rm -f "$D/log.txt" "$D/stderr.txt"; mkfifo "$TRAINBELL_PROGRESS_FILE" "$D/log.txt"'
        ' "$D/stderr.txt"; touch "up-$TRAINBELL_JOB_ID"; exec sleep 600'
    )
    command = ["/bin/sh", "-c", f'D="${{TRAINBELL_PROGRESS_FILE%/*}}"; {script}']
    with up.client() as client:
        hostile = [start(client, tmp_path, command) for _ in range(67)]
        until(lambda: len(list(tmp_path.glob("up-*"))) == 67)
        for job in hostile[:6]:
            with pytest.raises(Exception, match="no regular file"):
                client.logs(job["id"], lines=5)

        began = time.monotonic()
        honest = start(client, tmp_path, ["/bin/sh", "-c", "until [ -e go ]; do sleep 0.05; done"])
        until(lambda: client.job(honest["id"])["state"] == "running")
        (tmp_path / "go").touch()
        until(lambda: client.job(honest["id"])["state"] == "succeeded")
        assert time.monotonic() - began < 2 * SOON_SECONDS

        states = [client.job(job["id"])["state"] for job in hostile]
        assert states == ["running"] * 67
        assert "progress.jsonl is no regular file" in client.job(hostile[0]["id"])["message"]
        for job in hostile:
            client.cancel(job["id"])
        until(lambda: all(client.job(job["id"])["state"] == "cancelled" for job in hostile))


def test_a_cancelled_training_leaves_nothing_running(up: UpProcess, tmp_path: Path) -> None:
    script = "setsid sh -c 'echo $$ > draft; mv draft escaped; exec sleep 600' & wait"
    with up.client() as client:
        job = start(client, tmp_path, ["/bin/sh", "-c", script], grace_seconds=1)
        until((tmp_path / "escaped").exists)
        escaped = int((tmp_path / "escaped").read_text())
        os.kill(escaped, 0)
        client.cancel(job["id"])
        until(lambda: client.job(job["id"])["has_ended"])

        ended = client.job(job["id"])
        assert (ended["state"], ended["may_still_cost"]) == ("cancelled", False)
        with pytest.raises(ProcessLookupError):
            os.kill(escaped, 0)


def test_a_full_disk_is_one_line_and_delays_what_it_must_not_lose(
    up: UpProcess, tmp_path: Path
) -> None:
    """The server's files may not grow any more; runs, which are processes of their own, go on."""
    report = """echo '{"message": "busy"}' >> "$TRAINBELL_PROGRESS_FILE"; sleep 0.1"""
    script = f"until [ -e go ]; do {report}; done"
    with up.client() as client:
        jobs = [start(client, tmp_path, ["/bin/sh", "-c", script]) for _ in range(5)]
        until(lambda: all(client.job(job["id"])["state"] == "running" for job in jobs))
        server = int((up.data_dir / "lock").read_text())
        before = resource.prlimit(server, resource.RLIMIT_FSIZE, (16_384, resource.RLIM_INFINITY))
        until(lambda: "StoreFull" in up.said)
        began = time.monotonic()
        until(lambda: time.monotonic() - began > 5 * len(jobs) / 4)
        full = [line for line in up.said.splitlines() if "StoreFull" in line]
        assert "Traceback" not in up.said
        assert len(full) <= 2, up.said  # a database that cannot grow, and one that cannot be synced

        resource.prlimit(server, resource.RLIMIT_FSIZE, before)
        (tmp_path / "go").touch()
        until(lambda: all(client.job(job["id"])["state"] == "succeeded" for job in jobs))


def start(
    client: Trainbell, place: Path, command: list[str], **parameters: Any
) -> Mapping[str, Any]:
    asked = {"command": command, "cwd": str(place), **parameters}
    return client.start({"provider": "local", "parameters": asked})


def watched(client: Trainbell) -> tuple[Mapping[str, Any], list[tuple[str, float | None]]]:
    """The one job once it has ended, and what was seen of it on the way."""
    seen: list[tuple[str, float | None]] = []
    found: list[Mapping[str, Any]] = []

    def has_ended() -> bool:
        found[:] = client.jobs()["items"]
        seen.extend((job["state"], job["progress"]) for job in found)
        return bool(found) and found[0]["has_ended"]

    until(has_ended, pause=0.2)
    return client.job(found[0]["id"]), seen


def until(condition: Callable[[], bool], *, pause: float = 0.05) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(pause)


def at_of(events: Sequence[Mapping[str, Any]], kind: str) -> datetime:
    return moment(next(each["at"] for each in events if each["type"] == kind))


def span(job: Mapping[str, Any], begin: str, end: str) -> float:
    return (moment(job[end]) - moment(job[begin])).total_seconds()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
