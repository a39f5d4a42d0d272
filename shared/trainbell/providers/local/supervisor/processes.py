# ruff: noqa: PTH110, PTH115, PTH123, PTH208
"""Who of a run lives, and signals that reach nobody else.

Linux tells it in /proc. Elsewhere only the command's process group is known.
"""

from __future__ import annotations

import contextlib
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

NAMED_AT_MOST = 10
GONE = "ZX"


class Process:
    """A living process. `started` tells it from a later one with the same id."""

    __slots__ = ("name", "parent", "pid", "started")

    def __init__(self, pid: int, name: str, parent: int, started: str) -> None:
        self.pid = pid
        self.name = name
        self.parent = parent
        self.started = started

    def send(self, number: int) -> None:
        """Signal it, and surely no other: the descriptor cannot come to mean a later process."""
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(self.pid)
            try:
                now = _process(self.pid)
                if now is not None and now.started == self.started:
                    signal.pidfd_send_signal(descriptor, number)
            finally:
                os.close(descriptor)

    def __str__(self) -> str:
        return f"{self.name} ({self.pid})"


def tells_all() -> bool:
    """Whether this system tells of every process. Where not, the lists below are empty."""
    return os.path.exists("/proc/self/stat")


def descendants(of: int) -> list[Process]:
    """All that live below this process. Of a subreaper, that is all it ever caused."""
    children: dict[int, list[Process]] = {}
    for process in _all():
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    parents = [of]
    while parents:
        for child in children.get(parents.pop(), ()):
            found.append(child)
            parents.append(child.pid)
    return found


def marked(directory: str) -> list[Process]:
    """All that bear this run's mark: its progress file in their environment, or its lock open.

    For a run whose supervisor was killed: what it caused is nobody's descendant any more.
    """
    mark = f"TRAINBELL_PROGRESS_FILE={directory}/progress.jsonl".encode()
    lock = f"{directory}/lock"
    return [p for p in _all() if p.pid != os.getpid() and _bears(p.pid, mark, lock)]


def named(processes: list[Process]) -> list[str]:
    """For a person; not all, where there are many."""
    names = [str(process) for process in processes[:NAMED_AT_MOST]]
    more = len(processes) - len(names)
    return [*names, f"and {more} more"] if more else names


def identity_of(pid: int) -> str | None:
    """When this process started, which tells it from another one with the same id. None: gone.

    Linux counts in ticks since a boot that has an id; elsewhere `ps` gives the second.
    """
    if tells_all():
        process = _process(pid)
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return None if process is None else f"{file.read().strip()}/{process.started}"
    import subprocess

    ps = ["/bin/ps", "-o", "lstart=", "-p", str(int(pid))]
    plain = {"LC_ALL": "C", "TZ": "UTC"}
    said = subprocess.run(ps, env=plain, capture_output=True, text=True, check=False)  # noqa: S603
    return said.stdout.strip() or None


def signal_group(group: int, number: int) -> bool:
    """True where the group has somebody to signal."""
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


def _all() -> Iterator[Process]:
    with contextlib.suppress(FileNotFoundError):
        for entry in os.listdir("/proc"):
            if entry.isdigit() and (process := _process(int(entry))) is not None:
                yield process


def _process(pid: int) -> Process | None:
    """None where it has ended, reaped or not. The format: proc_pid_stat(5)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            before, _, after = file.read().rpartition(")")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = after.split()
    if fields[0] in GONE:
        return None
    return Process(pid, before.partition("(")[2], int(fields[1]), fields[19])


def _bears(pid: int, mark: bytes, lock: str) -> bool:
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/environ", "rb") as file:
            if mark in file.read().split(b"\0"):
                return True
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/fd/{descriptor}") == lock:
                    return True
    return False
