"""What has changed on disk is told soon, whether the system tells it or the files are compared."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.local.machine import PATIENCE_SECONDS
from trainbell.providers.local.run_changes import Change, RunChanges


@pytest.fixture(params=["inotify", "compared"])
def changes(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunChanges]:
    if request.param == "compared":
        monkeypatch.setattr(
            "trainbell.providers.local.supervisor.kernel.open_inotify", lambda: None
        )
    made = RunChanges(tmp_path)
    yield made
    made.close()


def a_run(root: Path, name: str, *files: str) -> Path:
    path = root / name
    path.mkdir(exist_ok=True)
    for file in files:
        (path / f"{file}.draft").write_text("{}")
        (path / f"{file}.draft").replace(path / file)
    return path


def told(changes: RunChanges, *, milestone: bool | None = None) -> set[str]:
    """Until something is told (of this kind); a busy directory may tell it in several parts."""
    for _ in range(40):
        found = changes.wait(PATIENCE_SECONDS / 40)
        names = {c.run for c in found if milestone in (None, c.milestone)}
        if names:
            return names
    return set()


def test_a_run_is_told_of_as_it_begins_reports_and_ends(
    changes: RunChanges, tmp_path: Path
) -> None:
    assert changes.wait(0) == []
    run = a_run(tmp_path, "job1", "process.json")
    assert told(changes, milestone=True) == {"job1"}

    with (run / "progress.jsonl").open("a") as file:
        file.write('{"progress": 0.1}\n')
        file.flush()
        assert told(changes, milestone=False) == {"job1"}
        file.write('{"progress": 0.2}\n')
        file.flush()
        assert told(changes, milestone=False) == {"job1"}
    a_run(tmp_path, "job1", "exit.json")
    assert told(changes, milestone=True) == {"job1"}

    (run / "progress.jsonl").write_text("after its end")
    (run / "log.txt").write_text("after its end")
    assert changes.wait(0.3) == []


def test_runs_that_were_there_before_are_told_of_once(tmp_path: Path) -> None:
    a_run(tmp_path, "job1", "process.json")
    a_run(tmp_path, "job2", "process.json", "exit.json")
    changes = RunChanges(tmp_path)

    assert {c.run for c in changes.wait(0)} == {"job1", "job2"}
    assert changes.wait(0) == []
    a_run(tmp_path, "job1", "exit.json")
    assert Change("job1", milestone=True, ended=True) in changes.wait(PATIENCE_SECONDS)
    changes.close()


def test_what_a_command_logs_wakes_nobody(tmp_path: Path) -> None:
    run = a_run(tmp_path, "job1", "process.json")
    changes = RunChanges(tmp_path)
    changes.wait(0)

    with (run / "log.txt").open("a") as log:
        for _ in range(100):
            log.write("x" * 1000)
            log.flush()

    assert changes.wait(0.1) == []
    changes.close()


def test_a_wait_is_ended_from_another_thread(changes: RunChanges) -> None:
    changes.wait(0)
    threading.Timer(0.05, changes.wake).start()

    assert changes.wait(0.2) == []
