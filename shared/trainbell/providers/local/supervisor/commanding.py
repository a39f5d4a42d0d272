# ruff: noqa: PTH108
"""Steps 4 to 6: the command's life, and on a cancel the death of all that it caused."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import time

from .claiming import NotLaunched
from .output import Output
from .processes import (
    Process,
    descendants,
    identity_of,
    marked,
    named,
    signal_group,
    signal_name,
    tells_all,
)
from .records import write_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
OUTLIVING_SECONDS = 0.2
"""Helpers that end with their command (multiprocessing's trackers) get so long to do it."""

DEATH_SECONDS = 1.0
"""After SIGKILL, what still lives after so long is reported; we go on trying."""

# What an exec can fail with because of the command itself; all else is the machine's trouble.
COMMAND_FAULTS = frozenset(
    {
        errno.ENOENT,
        errno.EACCES,
        errno.ENOEXEC,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ELOOP,
        errno.E2BIG,
        errno.ENAMETOOLONG,
        errno.EPERM,
        errno.EINVAL,
    }
)
# Python ignores SIGPIPE and SIGXFSZ, and the supervisor ignores the rest; the command must not.
SIGNALS_GIVEN_BACK = (
    signal.SIGPIPE,
    signal.SIGXFSZ,
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGCHLD,
)


def launch(order: dict[str, Any], output: Output) -> int:
    """Steps 4 and 5. Where the command cannot be executed, step 3 is taken back."""
    directory = order["run_directory"]
    try:
        os.chdir(order["cwd"])
        command = spawn(order, output)
    except (OSError, ValueError) as error:
        os.unlink(f"{directory}/launch.json")
        number = getattr(error, "errno", errno.EINVAL)
        outcome = "rejected" if number in COMMAND_FAULTS else "unavailable"
        message = f"cannot run {order['program']}: {os.strerror(number)}"
        raise NotLaunched(outcome, message) from error
    grace = order["grace_seconds"]
    record = {"pid": command, "identity": identity_of(command), "grace_seconds": grace}
    with contextlib.suppress(OSError):
        # Only a cancel without supervisor needs it; the run goes on where it cannot be written.
        write_whole(f"{directory}/process.json", record)
    return command


def spawn(order: dict[str, Any], output: Output) -> int:
    """The command in its own process group, with plain signals, our logs and the lock.

    Unlike a fork, posix_spawn says here and now whether the program could be executed.
    """
    return os.posix_spawn(
        order["program"],
        order["command"],
        order["environment"],
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output.log, 1),
            (os.POSIX_SPAWN_DUP2, output.errors, 2),
        ],
        setpgroup=0,
        setsigmask=(),
        setsigdef=SIGNALS_GIVEN_BACK,
    )


def wait_for_end(
    order: dict[str, Any], command: int, wake: int, control: int, output: Output
) -> dict[str, Any]:
    """Sleep until the command ends; on a cancel, no word of an end before all it caused is gone.

    The command is not reaped before it has ended, so its group's number cannot be another's.
    """
    stopping: Stopping | None = None
    while (status := reap(command)) is None:
        pipes, timeout = output.waits_for()
        if stopping is not None:
            pause = stopping.go_on()
            timeout = pause if timeout is None else min(pause, timeout)
        ready = select.select([wake, control, *pipes], [], [], timeout)[0]
        for pipe in ready:
            if pipe in (wake, control):
                os.read(pipe, 4096)
        output.look()
        if control in ready and stopping is None:
            signal_group(command, signal.SIGTERM)
            stopping = Stopping(order["run_directory"], order["grace_seconds"], caused)
    ended_at = time.time()
    outlived: list[Process] = []
    if stopping is None:
        outlived = outliving(command)
    else:
        stopping.finish(command)
    output.finish()
    code = os.waitstatus_to_exitcode(status)
    return {
        "exit_code": code if code >= 0 else None,
        "signal": signal_name(-code) if code < 0 else None,
        "ended_at": ended_at,
        "stopped_by_us": stopping is not None,
        "outlived": named(outlived),
    }


def reap(command: int | None) -> int | None:
    """Reap all that have ended: as a subreaper we inherit strangers. The command's status, once."""
    while True:
        try:
            reaped, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if not reaped:
            return None
        if reaped == command:
            return status


def caused() -> list[Process]:
    return descendants(os.getpid())


def outliving(command: int) -> list[Process]:
    """What the command left running; it is reported and not touched."""
    patience = time.monotonic() + OUTLIVING_SECONDS
    while (living := caused()) and time.monotonic() < patience:
        time.sleep(PAUSE_SECONDS)
        reap(command)
    return living


class Stopping:
    """SIGTERM at once, SIGKILL after the grace, again and again; what outlives that is reported."""

    def __init__(self, directory: str, grace: float, living: Callable[[], list[Process]]) -> None:
        self._directory = directory
        self._living = living
        self._deadline = time.monotonic() + grace
        self._pause = PAUSE_SECONDS
        self._told: list[str] = []
        for process in living():
            process.send(signal.SIGTERM)

    def go_on(self) -> float:
        """Do what is due; seconds until there is more to do."""
        late = time.monotonic() - self._deadline
        if late < 0:
            return -late
        living = self._living()
        for process in living:
            process.send(signal.SIGKILL)
        if late >= DEATH_SECONDS:
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
            self._report(named(living))
        return self._pause

    def finish(self, group: int | None) -> None:
        """Return once nothing is left. `group` is only for systems that tell nothing else: its
        number stays taken while it has a member, so an empty one is never signalled."""
        group = None if tells_all() else group
        while self._living() or (group is not None and signal_group(group, 0)):
            pause = self.go_on()
            if group is not None and time.monotonic() >= self._deadline:
                signal_group(group, signal.SIGKILL)
            time.sleep(min(pause, self._pause))
            reap(None)
        reap(None)  # where nobody reaps orphans, such as in a container, they would stay

    def _report(self, survivors: list[str]) -> None:
        if survivors and survivors != self._told:
            self._told = survivors
            with contextlib.suppress(OSError):
                record = {"processes": survivors}
                write_whole(f"{self._directory}/survivors.json", record)


def stop_orphan(directory: str) -> None:
    """Cancel a run whose supervisor was killed: all that bears its mark. Returns once it is gone.

    The command's group is signalled only if the recorded process is still the same one.
    """
    with open(f"{directory}/process.json", encoding="utf-8") as file:  # noqa: PTH123
        record = json.load(file)
    command, identity = record["pid"], record["identity"]
    group = command if identity is not None and identity_of(command) == identity else None
    if group is not None:
        signal_group(group, signal.SIGTERM)
    Stopping(directory, record["grace_seconds"], lambda: marked(directory)).finish(group)
    write_whole(f"{directory}/stopped.json", {})  # for who watches the directory
