"""`python -m trainbell.demo`: it ends well, and however it ends, it leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.e2e

PROJECT = Path(__file__).parents[2]
ENDS_WITHIN_SECONDS = 90.0
CLEAN_WITHIN_SECONDS = 8.0


@contextmanager
def the_demo(temporary: Path) -> Iterator[subprocess.Popen[str]]:
    """In a process group of its own, as a shell starts it; its folder is below `temporary`."""
    # A test runner may ask for a width; the demo would heed it.
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    process = subprocess.Popen(
        [sys.executable, "-m", "trainbell.demo"],
        cwd=PROJECT,
        env={**environment, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def what_is_left(temporary: Path) -> list[str]:
    """Files, and processes that know the folder: by their arguments, or in their environment."""
    left = [str(path) for path in temporary.iterdir()]
    for process in psutil.process_iter():
        try:
            known = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(temporary) in each for each in known):
            left.append(repr(process))
    return left


def assert_nothing_is_left(temporary: Path) -> None:
    deadline = time.monotonic() + 2.0  # A supervisor ends a moment after its command.
    while what_is_left(temporary) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert what_is_left(temporary) == []


def test_it_ends_well_and_shows_it(tmp_path: Path) -> None:
    with the_demo(tmp_path) as process:
        said, _ = process.communicate(timeout=ENDS_WITHIN_SECONDS)
    assert process.returncode == 0, said
    rows = [re.split(r"\s{2,}", line.strip()) for line in said.splitlines()]
    table = {row[0]: row for row in rows if len(row) > 4 and row[0] != "training"}
    assert {name: (row[1], row[3]) for name, row in table.items()} == {
        "digits": ("local", "succeeded"),
        "small-digits": ("local", "succeeded"),
        "diverging": ("local", "failed"),
        "flowers": ("azure_vision", "succeeded"),
        "churn": ("datarobot", "succeeded"),
        "faces": ("deepva", "succeeded"),
        "beaches": ("einstein", "succeeded"),
        "boards": ("lookout_vision", "succeeded"),
        "shelves": ("sagemaker", "succeeded"),
    }
    assert [name for name, row in table.items() if row[2] == "a schedule"] == ["small-digits"]
    measured = {name: row[5] for name, row in table.items()}
    trained = re.compile(r"accuracy (\S+), loss \S+, ECE \S+")
    good, poor = (trained.fullmatch(measured[name]) for name in ("digits", "small-digits"))
    assert good is not None, said
    assert float(good[1]) > 0.95
    assert poor is not None
    assert float(poor[1]) < 0.9
    assert measured["boards"] == "F1 0.96, precision 0.94, recall 0.98"
    assert measured["flowers"] == "top-1 0.93, AP 0.95, ECE 0.02"
    assert measured["diverging"] == "The command ended with exit code 3"
    # Only DeepVA tells nothing of a training's quality.
    assert [name for name, said in measured.items() if said == "nothing told"] == ["faces"]
    titles = [
        re.split(r"\s{2,}", line.strip())[0]
        for line in said.splitlines()
        if line.strip()[:1] in ("✅", "❌")
    ]
    assert sorted(titles) == [
        "✅ beaches (train at einstein) succeeded",
        "✅ boards (train at lookout_vision) succeeded",
        "✅ churn (test at datarobot) succeeded",
        "✅ digits (train at local) succeeded",
        "✅ faces (train at deepva) succeeded",
        "✅ flowers (train at azure_vision) succeeded",
        "✅ shelves (train at sagemaker) succeeded",
        "✅ small-digits (train at local) succeeded",
        "❌ diverging (train at local) failed",
    ]
    assert "│ The command ended with exit code 3" in said
    assert_nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    ("number", "to_the_group"),
    [(signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGTERM, False)],
)
def test_a_signal_in_the_middle_cleans_up(
    tmp_path: Path, number: signal.Signals, to_the_group: bool
) -> None:
    with the_demo(tmp_path) as process:
        assert process.stdout is not None
        while "running" not in (line := process.stdout.readline()):
            assert line, "it ended before anything ran"
        began = time.monotonic()
        if to_the_group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        time.sleep(0.1)
        process.send_signal(number)  # An impatient second one cuts nothing short.
        said, _ = process.communicate(timeout=ENDS_WITHIN_SECONDS)
        took = time.monotonic() - began
    assert process.returncode == 130, said
    assert "Stopped; nothing is left running." in said
    assert "Traceback" not in said
    assert took < CLEAN_WITHIN_SECONDS
    assert_nothing_is_left(tmp_path)


def test_a_signal_at_the_very_beginning_cleans_up(tmp_path: Path) -> None:
    with the_demo(tmp_path) as process:
        deadline = time.monotonic() + ENDS_WITHIN_SECONDS
        while not any(tmp_path.iterdir()):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=ENDS_WITHIN_SECONDS)
    assert process.returncode == 130, said
    assert_nothing_is_left(tmp_path)
