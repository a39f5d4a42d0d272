"""How long logs stay: by age, and by the size of all of them together.

Only what the command wrote goes; how it ended stays until the job is forgotten. A log of a run
that lives is the supervisor's to cut (see `supervisor.output`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from trainbell.providers.local.passed_variables import DIRECTORY as PASSED
from trainbell.providers.local.regular_files import open_regular
from trainbell.providers.local.run_directory import RunDirectory

EVERY = timedelta(hours=1)
REMOVED = "This log was removed: logs are kept for {:g} days, and all together up to {:g} MB.\n"
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Keeping:
    """For how long after its end, and how much of all runs together."""

    days: float
    megabytes: float


def remove_old_logs(root: Path, keeping: Keeping, now: datetime) -> int:
    """Empty the logs of ended runs that are too old; then the oldest, until the rest fits.

    A line in the log's place says so. Returns how many were removed; what cannot be read is left.
    """
    logs = sorted(_logs(root), key=lambda log: log.ended_at)
    oldest = (now - timedelta(days=keeping.days)).timestamp()
    total = sum(log.size for log in logs)
    removed = 0
    note = REMOVED.format(keeping.days, keeping.megabytes).encode()
    for log in logs:
        if log.ended_at >= oldest and total <= keeping.megabytes * MB:
            break
        total -= log.size
        removed += 1
        for path in (log.run.log_path, log.run.errors_path):
            with contextlib.suppress(OSError, ValueError):
                _empty(path, note if path == log.run.log_path else b"")
    _remove_passed(root, oldest)
    return removed


@dataclass(frozen=True, slots=True)
class _Log:
    run: RunDirectory
    ended_at: float
    size: int


def _logs(root: Path) -> Iterator[_Log]:
    note_size = 4096
    for path in _entries(root):
        with contextlib.suppress(OSError, ValueError):
            run = RunDirectory.of(root, path.name)
            ended_at = (path / "exit.json").stat().st_mtime
            size = sum(_takes(each) for each in (run.log_path, run.errors_path))
            if size > note_size and not run.is_alive():
                yield _Log(run, ended_at, size)


def _empty(path: Path, note: bytes) -> None:
    with open_regular(path, to_write=True) as file:
        file.truncate(0)
        file.write(note)


def _entries(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:
        return []


def _takes(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.lstat().st_blocks * 512
    return 0


def _remove_passed(root: Path, oldest: float) -> None:
    for path in _entries(root / PASSED):
        with contextlib.suppress(OSError):
            found = os.lstat(path)
            if found.st_nlink == 1 and found.st_mtime < oldest:
                path.unlink()
