"""What the command writes: standard error into the log, and the log kept within its cap.

The command writes into both files itself, so it never waits for us and outlives us unharmed.
Standard error has a file of its own, because its last lines are the reason of a failure; whatever
comes there is carried over into the log. A log that outgrows its cap keeps its head and its tail;
what is between is given back to the file system at once, while the command goes on writing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time

from . import kernel

REST_SECONDS = 0.05
"""After a look the writers are left alone for so long: a chatty command costs 20 looks a second."""

UNWATCHED_LOOK_SECONDS = 0.25
CUT_EVERY_SECONDS = 1.0
CHUNK_BYTES = 65_536
ERRORS_KEPT_BYTES = 262_144
HEAD_SHARE = 4
PAGE_BYTES = 4096
CUT_MARK = b"\n[... cut here: the log has outgrown its cap ...]\n"


class Output:
    """The two files of one run. `log` and `errors` are descriptors to append with."""

    def __init__(self, directory: str, cap_bytes: int) -> None:
        """Raises OSError where a file cannot be made or is none."""
        self._cap = cap_bytes
        self._paths = (f"{directory}/log.txt", f"{directory}/stderr.txt")
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
        self.log, self.errors = (os.open(path, flags, 0o600) for path in self._paths)
        if not all(stat.S_ISREG(os.fstat(file).st_mode) for file in (self.log, self.errors)):
            raise OSError(errno.EINVAL, "a log of the run is no regular file")
        self._carried = 0
        self._uncut_since: float | None = None
        self._rests_until = 0.0
        self._inotify = kernel.open_inotify()
        if self._inotify is not None:
            for path in self._paths:
                kernel.add_watch(self._inotify, path, kernel.IN_MODIFY)

    def waits_for(self) -> tuple[list[int], float | None]:
        """What to select on, and for how many seconds at most. Idle, that is for ever."""
        if self._inotify is None:
            return [], UNWATCHED_LOOK_SECONDS
        now = time.monotonic()
        if now < self._rests_until:
            return [], self._rests_until - now
        if self._uncut_since is not None:
            return [self._inotify], max(0.0, self._uncut_since + CUT_EVERY_SECONDS - now)
        return [self._inotify], None

    def look(self) -> None:
        """Carry over what came, and cut what is too much, unless it was done a moment ago."""
        now = time.monotonic()
        if now < self._rests_until:
            return
        if self._inotify is None or _drained(self._inotify):
            self._rests_until = now + REST_SECONDS
            self._uncut_since = self._uncut_since or now
            with contextlib.suppress(OSError):
                self._carry(whole_lines=True)
        if self._uncut_since is not None and now - self._uncut_since >= CUT_EVERY_SECONDS:
            self._uncut_since = None
            with contextlib.suppress(OSError):
                self._cut()

    def finish(self) -> None:
        """The command has ended: the rest goes into the log."""
        with contextlib.suppress(OSError):
            self._carry(whole_lines=False)
            self._cut()

    def _carry(self, *, whole_lines: bool) -> None:
        while data := os.pread(self.errors, CHUNK_BYTES, self._carried):
            if whole_lines and len(data) < CHUNK_BYTES:
                data = data[: max(data.rfind(b"\n"), data.rfind(b"\r")) + 1]
                if not data:
                    return
            self._carried += os.write(self.log, data)

    def _cut(self) -> None:
        kept = max(self._cap // HEAD_SHARE, PAGE_BYTES), max(self._cap // 2, PAGE_BYTES)
        if _takes(self.log) > self._cap:
            _cut_between(self.log, *kept)
        if _takes(self.errors) > 2 * ERRORS_KEPT_BYTES:
            size = os.fstat(self.errors).st_size
            if kernel.punch_hole(self.errors, 0, _page(self._carried - ERRORS_KEPT_BYTES)):
                return
            last = os.pread(self.errors, ERRORS_KEPT_BYTES, max(0, size - ERRORS_KEPT_BYTES))
            os.ftruncate(self.errors, 0)
            self._carried = os.write(self.errors, last)


def _cut_between(file: int, head: int, tail: int) -> None:
    """Where holes cannot be made, what is written in that very moment may be cut, too."""
    size = os.fstat(file).st_size
    if kernel.punch_hole(file, _page(head), _page(size - tail)):
        return
    last = os.pread(file, tail, size - tail)
    os.ftruncate(file, head)
    os.write(file, CUT_MARK + last)


def _takes(file: int) -> int:
    """Bytes on the disk: a hole takes none."""
    return os.fstat(file).st_blocks * 512


def _page(offset: int) -> int:
    return max(0, offset) // PAGE_BYTES * PAGE_BYTES


def _drained(inotify: int) -> bool:
    try:
        return bool(os.read(inotify, CHUNK_BYTES))
    except BlockingIOError:
        return False
