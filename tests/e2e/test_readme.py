"""What the README tells a reader to type works, in its order, in an empty home."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.up_process import free_port
from trainbell.client import Trainbell
from trainbell.embedded.data_dir import running_server
from trainbell.simulators.slack import SlackReceiver

pytestmark = pytest.mark.e2e

PROJECT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_RUN = {
    "make demo": "tests/e2e/test_demo.py runs the demo, and `make test` is this",
    "pip install": "asks a package index; CI installs from the locks",
    "sam build": "needs an account of AWS; tests/e2e/cloud_stack.py deploys to a stand-in",
}
"""Blocks by what they begin with, each with the reason why it cannot be run here."""


def blocks() -> list[str]:
    """What is to be typed, in order."""
    found = BLOCK.findall((PROJECT / "README.md").read_text())
    assert {language for language, _ in found} == {"sh", "text"}, "a block says what it is"
    return [text for language, text in found if language == "sh"]


def reason_not_to_run(block: str) -> str | None:
    return next((why for words, why in NOT_RUN.items() if block.startswith(words)), None)


def as_typed_here(block: str, slack_url: str, port: int) -> str:
    """With a receiver of our own and free ports: what a reader has, and a test machine has not."""
    for theirs, ours in (
        ("https://hooks.slack.com/services/…", slack_url),
        ("trainbell up &", "trainbell up --port 0 &"),
        ("9101", str(port)),
    ):
        block = block.replace(theirs, ours)
    assert "…" not in block, "a gap that nobody fills in"
    return block


@contextmanager
def typed(script: str, home: Path) -> Iterator[subprocess.CompletedProcess[str]]:
    """The script's end; what it left running ends with the block."""
    environment = {"HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    log = home.with_name("log")
    with log.open("w") as said:
        process = subprocess.Popen(
            ["bash", "-eu", "-o", "pipefail", "-x", "-c", script],
            cwd=PROJECT,
            env=environment,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        code = process.wait(100)
        yield subprocess.CompletedProcess(script, code, log.read_text())
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)


def test_every_block_is_run_or_has_a_reason() -> None:
    for words in NOT_RUN:
        assert [each for each in blocks() if each.startswith(words)], f"{words}: no such block"
    assert len([each for each in blocks() if reason_not_to_run(each) is None]) == 3


def test_what_the_readme_says_works_in_its_order(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    port = free_port()
    with SlackReceiver() as slack:
        to_run = (each for each in blocks() if reason_not_to_run(each) is None)
        script = "\n".join(as_typed_here(each, slack.url, port) for each in to_run)
        with typed(script, home) as done:
            assert done.returncode == 0, done.stdout
            server = running_server(home / ".local" / "share" / "trainbell")
            assert server is not None, done.stdout
            with Trainbell(server.url, token=server.token) as client:
                ended = [(job["provider"], job["state"]) for job in client.jobs()["items"]]
                (schedule,) = client.all_of("/v1/schedules")
        assert ended == [("deepva", "succeeded"), ("local", "succeeded")]
        assert (schedule["name"], schedule["time_zone"]) == ("nightly", "Europe/Berlin")
        assert schedule["job"]["deadline_seconds"] == 7200
        assert [message["text"] for message in slack.messages] == [
            "🔔 A test message from Trainbell"
        ]
    assert "Traceback" not in done.stdout
    assert "is up at http://127.0.0.1:" in done.stdout
    assert "next due at" in done.stdout
