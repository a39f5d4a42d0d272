"""One run's directory, as Trainbell reads it. The supervisor writes it (see `supervisor.py`).

| file | what it says |
|---|---|
| `lock` | locked: something of this run lives |
| `launch.json` | the run was started, and will never be started again |
| `process.json` | the command's process id and identity |
| `cancel.json` | a cancel was asked for |
| `survivors.json` | what does not die, though the cancel's grace is long over |
| `stopped.json` | the end of a run whose supervisor was killed, after a cancel |
| `exit.json` | how the command ended |
| `log.txt`, `stderr.txt`, `progress.jsonl` | what the command wrote |
| `passed.json` | variables that were passed by name; a second link to them |
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trainbell.providers.local.regular_files import open_regular
from trainbell.providers.local.supervisor.processes import identity_of, marked

MAX_RECORD_BYTES = 65_536
_RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the command ended. Exactly one of `exit_code` and `signal` is given.

    `stopped_by_us`: a cancel had reached the supervisor before the command ended. `outlived`: what
    it left running, in words.
    """

    exit_code: int | None
    signal: str | None
    started_at: datetime
    ended_at: datetime
    stopped_by_us: bool
    outlived: tuple[str, ...] = ()


class RunDirectory:
    """Reads and asks; it never writes what the supervisor writes.

    A command can put anything in the place of these files. So only regular files are read, up to
    a bound, and none is waited for.

    All methods raise OSError where the disk does, and ValueError for a record that is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log_path = path / "log.txt"
        self.errors_path = path / "stderr.txt"
        self.passed_path = path / "passed.json"
        self.progress_path = path / "progress.jsonl"

    @classmethod
    def of(cls, root: Path, name: str) -> RunDirectory:
        """The directory of this run below `root`.

        Raises:
            ValueError: the name could lead elsewhere.
        """
        if not _RUN_NAME.fullmatch(name):
            raise ValueError("a run's name has 1 to 64 letters, digits, - and _")
        return cls(root / name)

    def create(self) -> None:
        """Make it, for its owner alone. Made already is as good."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)

    def was_launched(self) -> bool:
        return self._has("launch.json")

    def launched_at(self) -> datetime | None:
        """None where the machine went down while this was being written."""
        try:
            return _time_of(self._read("launch.json")["started_at"])
        except (ValueError, KeyError, TypeError):
            return None

    def ending(self) -> Ending | None:
        """None while the command runs, and for ever where nobody was left to write it down."""
        try:
            record = self._read("exit.json")
        except FileNotFoundError:
            return None
        try:
            return Ending(
                exit_code=record["exit_code"],
                signal=record["signal"],
                started_at=_time_of(record["started_at"]),
                ended_at=_time_of(record["ended_at"]),
                stopped_by_us=record["stopped_by_us"],
                outlived=_words(record.get("outlived")),
            )
        except (KeyError, TypeError) as exc:
            raise ValueError("exit.json is not what the supervisor writes") from exc

    def is_alive(self) -> bool:
        """Whether the supervisor or the command lives: one of them holds the lock."""
        try:
            with open_regular(self.path / "lock") as lock:
                fcntl.flock(lock.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def survivors(self) -> tuple[str, ...]:
        """What still lives though the cancel's grace is long over, in words."""
        try:
            return _words(self._read("survivors.json").get("processes"))
        except FileNotFoundError:
            return ()

    def has_members(self) -> bool:
        """Whether anything bears this run's mark, its lock aside. Looks at every process of this
        machine, so it is asked only about a cancelled run whose supervisor was killed."""
        return bool(marked(str(self.path)))

    def cancel_was_asked(self) -> bool:
        return self._has("cancel.json")

    def ask_cancel(self) -> bool:
        """Leave the wish and tell the supervisor. False where no supervisor is there to hear it."""
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.path / "cancel.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        return self._call_supervisor(b"c")

    def is_supervised(self) -> bool:
        return self._call_supervisor(b"")

    def command_is_known(self) -> bool:
        """Whether the recorded process lives and is still the one that was recorded."""
        try:
            record = self._read("process.json")
            identity = record["identity"]
            return identity is not None and identity_of(record["pid"]) == identity
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return False

    def can_be_ended(self) -> bool:
        """Whether a stopper would know whom to end."""
        return self.command_is_known() or (self._has("process.json") and self.has_members())

    def remove(self) -> bool:
        """Remove it with all that is in it. False, and it stays, while something of it lives."""
        if self.is_alive():
            return False
        # Renamed first: a removal that is interrupted must not look like a run.
        doomed = self.path.with_name(f".removed-{self.path.name}")
        with contextlib.suppress(FileNotFoundError):
            self.path.rename(doomed)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(doomed)
        return True

    def _call_supervisor(self, word: bytes) -> bool:
        """Whether it is there to hear it."""
        try:
            control = os.open(self.path / "control", os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError:  # ENXIO: nobody reads it
            return False
        try:
            if not stat.S_ISFIFO(os.fstat(control).st_mode):
                return False
            with contextlib.suppress(BlockingIOError):  # full of earlier wishes
                os.write(control, word)
        finally:
            os.close(control)
        return True

    def _has(self, name: str) -> bool:
        # Path.exists() takes a directory that may not be read for one that is empty.
        try:
            (self.path / name).stat()
        except FileNotFoundError:
            return False
        return True

    def _read(self, name: str) -> Mapping[str, Any]:
        with open_regular(self.path / name) as file:
            record = json.loads(file.read(MAX_RECORD_BYTES))
        if not isinstance(record, dict):
            raise ValueError(f"{name} is not what the supervisor writes")  # noqa: TRY004 - damaged
        return record


def _time_of(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _words(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
