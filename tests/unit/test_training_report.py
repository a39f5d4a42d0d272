"""`report` in a training script: a line in the progress file, or nothing at all."""

from __future__ import annotations

import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trainbell.domain.job import Performance
from trainbell.providers.local.progress_file import read_report
from trainbell.training import MAX_LINE_BYTES, PROGRESS_FILE_VARIABLE, report


@pytest.fixture
def progress_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "progress.jsonl"
    monkeypatch.setenv(PROGRESS_FILE_VARIABLE, str(path))
    return path


def test_what_is_reported_is_what_is_read(progress_file: Path) -> None:
    report(
        progress=Decimal("0.4"),
        message="epoch 4 äöü",
        stage="training",
        metrics={"loss": 0.3},
        per_tag={"cat": {"recall": 0.5}},
        curve={"epoch": 4},
        cost={"usd": 2},
        artifacts={"model": "s3://b/m"},
        accuracy=0.93,
    )

    seen = read_report(progress_file)

    assert (seen.progress, seen.message, seen.stage) == (0.4, "epoch 4 äöü", "training")
    assert seen.performance == Performance(
        metrics={"loss": 0.3, "accuracy": 0.93},
        per_tag={"cat": {"recall": 0.5}},
        curve=({"epoch": 4.0},),
        cost={"usd": 2.0},
        artifacts={"model": "s3://b/m"},
    )


def test_nothing_is_written_outside_trainbell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PROGRESS_FILE_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)

    report(progress=0.5)

    assert list(tmp_path.iterdir()) == []


def test_numbers_that_are_not_finite_are_left_out(progress_file: Path) -> None:
    report(progress=float("nan"), loss=float("inf"), accuracy=0.5, huge=10**400)

    assert progress_file.read_bytes() == b'{"metrics":{"accuracy":0.5}}\n'


def test_an_empty_report_writes_no_line(progress_file: Path) -> None:
    report()

    assert not progress_file.exists()


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"accuracy": "0.9"}, TypeError),
        ({"accuracy": [1]}, TypeError),
        ({"message": 4}, TypeError),
        ({"message": "x" * MAX_LINE_BYTES}, ValueError),
    ],
)
@pytest.mark.parametrize("inside", [True, False])
def test_a_wrong_call_is_wrong_inside_and_outside(
    given: dict[str, Any],
    error: type[Exception],
    inside: bool,
    progress_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not inside:
        monkeypatch.delenv(PROGRESS_FILE_VARIABLE)

    with pytest.raises(error):
        report(**given)

    assert not progress_file.exists()


def test_a_disk_that_fails_does_not_stop_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PROGRESS_FILE_VARIABLE, str(tmp_path / "gone" / "progress.jsonl"))

    report(progress=0.5)

    assert not (tmp_path / "gone").exists()


def test_lines_of_many_threads_stay_whole(progress_file: Path) -> None:
    def work(thread: int) -> None:
        for i in range(100):
            report(metrics={f"t{thread}": i}, message="x" * 200)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    data = progress_file.read_bytes().splitlines()
    assert len(data) == 800
    assert all(line.startswith(b"{") and line.endswith(b"}") for line in data)
    assert read_report(progress_file).performance.metrics == {f"t{n}": 99.0 for n in range(8)}


def test_it_imports_the_standard_library_only() -> None:
    code = (
        "import sys, trainbell.training;"
        "print(sorted(m for m in sys.modules if m.startswith(('pydantic', 'trainbell.'))))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "['trainbell.training', 'trainbell.version']"
