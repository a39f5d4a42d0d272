"""The data directory of one machine: private, held by one process, with the owner's token.

lock            held by the running Trainbell; its text is that process's id
aside           held besides by one that steps aside: a command that only waits for a job
next            held by a server that asks such a one for its place, until it has it
owner-token     who can read it is the owner
server.json     where the running Trainbell answers; gone when it has ended well
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainbell.errors import ConfigInvalid, StoreFull, TrainbellError

TOKEN_BYTES = 32
PATIENCE_SECONDS = 20.0
"""How long one that steps aside may take to end what it has in hand."""

LOOKED_AT_SECONDS = 0.2
"""For a moment, somebody who looks whether the directory is in use holds its lock, too."""

ASKS_AGAIN_SECONDS = 0.02

_LOCK = "lock"
_ASIDE = "aside"
_NEXT = "next"
_TOKEN = "owner-token"  # noqa: S105 - the file's name
_SERVER = "server.json"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class DataDirInUse(ConfigInvalid):
    """Another Trainbell runs on this directory."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Where a running Trainbell answers, and what proves that one is its owner."""

    url: str
    pid: int
    token: str


@dataclass(frozen=True, slots=True)
class DataDir:
    """A data directory that this process holds, until `open_data_dir` lets go of it."""

    path: Path
    token: str

    @property
    def is_asked_for(self) -> bool:
        """Whether a server wants the place of this process, which steps aside."""
        return _is_held(self.path / _NEXT)

    def announce(self, url: str) -> None:
        """Write down where this process answers, so that the command line finds it."""
        text = json.dumps({"url": url, "pid": os.getpid()})
        with _explained(self.path / _SERVER):
            _write_whole(self.path / _SERVER, text)

    def withdraw(self) -> None:
        """Say that nobody answers any more. Never fails: a stale note names a dead process."""
        with suppress(OSError):
            (self.path / _SERVER).unlink()


def default_data_dir(environment: Mapping[str, str] | None = None) -> Path:
    """TRAINBELL_DATA_DIR, or `trainbell` where the XDG base directory rules put data."""
    env = os.environ if environment is None else environment
    if given := env.get("TRAINBELL_DATA_DIR"):
        return Path(given).expanduser().absolute()
    xdg = env.get("XDG_DATA_HOME", "")
    # The XDG rules ignore a relative path.
    home = Path(xdg) if xdg.startswith("/") else Path.home() / ".local" / "share"
    return home / "trainbell"


@contextmanager
def open_data_dir(path: Path, *, steps_aside: bool = False) -> Iterator[DataDir]:
    """Hold the directory, which is made where there is none.

    One that `steps_aside` lets go of it soon after `is_asked_for`; any other asks such a holder
    for its place, and waits for it. So a command that looks after a job for a moment never keeps
    a server from coming back.

    Raises:
        DataDirInUse: another process holds it, or is about to.
        StoreFull: no room, or read-only.
        ConfigInvalid: not a directory, not writable, or open to other people.
    """
    with _explained(path):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        _keep_private(path)
    with ExitStack() as held:
        with _explained(path):
            lock = _opened(path / _LOCK, held)
            if steps_aside:
                _step_in_between(path, held)
            _take_lock(lock, path, asks=not steps_aside)
            token = _read_token(path) or _make_token(path)
        yield DataDir(path, token)


def is_in_use(path: Path) -> bool:
    """Whether a Trainbell runs on this directory; one that begins or ends does not answer."""
    with suppress(OSError):
        return _is_held(path / _LOCK)
    return False


def running_server(path: Path) -> RunningServer | None:
    """The Trainbell that runs on this directory; None where none does, or it is not ours to use.

    The note alone proves nothing, nor that a process of its number lives: the owner's token goes
    only to the one that holds the directory's lock.
    """
    try:
        noted: Any = json.loads((path / _SERVER).read_text())
        url, pid = str(noted["url"]), int(noted["pid"])
        if not _is_held_by(path / _LOCK, pid):
            return None
        token = _read_token(path)
    except (OSError, OverflowError, ValueError, KeyError, TypeError, TrainbellError):
        return None
    return RunningServer(url, pid, token) if token else None


def _keep_private(path: Path) -> None:
    mode = path.stat().st_mode
    if not mode & _OTHERS:
        return
    if any(path.iterdir()):
        raise ConfigInvalid(
            f"the data directory {path} is open to other people; close it with: chmod 700 {path}"
        )
    path.chmod(0o700)


def _opened(file: Path, held: ExitStack) -> int:
    """Closing it lets go of its lock; so does the death of the process."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    held.callback(os.close, descriptor)
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_held(file: Path) -> bool:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who look do not take each other for a holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_held_by(file: Path, pid: int) -> bool:
    if not _is_held(file):
        return False
    with file.open(encoding="ascii", errors="replace") as opened:
        return opened.read(32).strip() == str(pid)


def _step_in_between(path: Path, held: ExitStack) -> None:
    """Say that this process steps aside, before it holds anything; not where a server asks."""
    if not _try_lock(_opened(path / _ASIDE, held)) or _is_held(path / _NEXT):
        raise DataDirInUse(f"another Trainbell is about to use the data directory {path}")


def _take_lock(lock: int, path: Path, *, asks: bool) -> None:
    with ExitStack() as held:
        asking = _opened(path / _NEXT, held) if asks and not _try_lock(lock) else None
        began = time.monotonic()
        while not _try_lock(lock):
            if asking is not None:
                _try_lock(asking)
            steps_aside = asking is not None and _is_held(path / _ASIDE)
            if time.monotonic() - began > (PATIENCE_SECONDS if steps_aside else LOOKED_AT_SECONDS):
                raise _in_use(lock, path)
            time.sleep(ASKS_AGAIN_SECONDS)
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _in_use(lock: int, path: Path) -> DataDirInUse:
    holder = os.pread(lock, 32, 0).decode(errors="replace").strip() or "unknown"
    return DataDirInUse(
        f"the data directory {path} is in use by another Trainbell (process {holder})"
    )


def _read_token(path: Path) -> str | None:
    file = path / _TOKEN
    try:
        with file.open(encoding="ascii") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            token = opened.read(256).strip()
    except FileNotFoundError:
        return None
    if mode & _OTHERS:
        raise ConfigInvalid(f"{file} can be read by other people; delete it, a new one is made")
    if len(token) < TOKEN_BYTES:
        raise ConfigInvalid(f"{file} holds no token; delete it, a new one is made")
    return token


def _make_token(path: Path) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    _write_whole(path / _TOKEN, token + "\n")
    return token


def _write_whole(file: Path, text: str) -> None:
    """Readers see the old text or the new one, never a part."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    unfinished.replace(file)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """One clear line for what a file system can say."""
    try:
        yield
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        if exc.errno in _NO_ROOM:
            raise StoreFull(f"the data directory {path} cannot be written: {reason}") from exc
        raise ConfigInvalid(f"the data directory {path} cannot be used: {reason}") from exc
