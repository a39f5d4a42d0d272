# ruff: noqa: PTH105, PTH108, PTH110, PTH120, PTH123
# pathlib alone would make every supervisor half a megabyte bigger.
"""The small process that starts one command, sees its end and writes it down.

Run as `python -I -S supervisor.py` with the order as JSON on its standard input, it answers one
line of JSON on its standard output: `{"outcome": "launched" | "taken" | "rejected" | "unavailable"
| "unclear", "message": …}`. It uses the standard library only and knows nothing of Trainbell, so
that whatever happens to Trainbell does not happen to the command.

The order of writes is the promise (files in the run directory):

1. `lock`: an exclusive flock, inherited by the command. While it is held, something of this run
   lives; no reused process id can fake that, and it needs nobody to give it back.
2. `control`: the pipe on which a cancel arrives.
3. `launch.json`, created exclusively: from here on the run counts as started, for ever.
4. The command starts, in a process group of its own.
5. `process.json`: its process id and what tells it from a later process with the same id.
6. `exit.json`, put in place whole: exit code or signal, times, and whether we stopped it.

A death before 3 leaves a run that can be started again; a death after it, one that never is.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import select
import signal
import sys
import time

TYPE_CHECKING = False  # importing typing would cost each supervisor more than all the rest
if TYPE_CHECKING:
    from typing import Any

LOCK_ATTEMPTS = 250
LOCK_PAUSE_SECONDS = 0.02
GROUP_PAUSE_SECONDS = 0.05
NO_SPACE_PAUSE_SECONDS = 5.0
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
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
# Python ignores SIGPIPE and SIGXFSZ, and the supervisor ignores the rest; the command must not.
SIGNALS_GIVEN_BACK = (
    signal.SIGPIPE,
    signal.SIGXFSZ,
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGCHLD,
)


class NotLaunched(Exception):
    """Nothing was started by this process; `outcome` says what that means."""

    def __init__(self, outcome: str, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


def supervise(order: dict[str, Any]) -> None:
    """Steps 1 to 6. Returns when the command has ended and its end is on disk."""
    directory = order["run_directory"]
    for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    wake = open_wake_pipe()
    started_at = time.time()
    try:
        log, control = claim(directory, started_at)
        command = launch(order, log)
    except NotLaunched as reason:
        answer(reason.outcome, str(reason))
        return
    os.dup2(log, 2)
    answer("launched", "")
    ending = wait_for_end(command, wake, control, order["grace_seconds"])
    write_ending(f"{directory}/exit.json", {**ending, "started_at": started_at})


def claim(directory: str, started_at: float) -> tuple[int, int]:
    """Steps 1 to 3. Returns the log and the control pipe."""
    try:
        take_lock(directory)
        log = os.open(f"{directory}/log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        control = open_control(directory)
        claim_launch(directory, {"supervisor": os.getpid(), "started_at": started_at})
    except OSError as error:
        message = f"cannot prepare the run: {error.strerror}"
        raise NotLaunched("unavailable", message) from error
    return log, control


def launch(order: dict[str, Any], log: int) -> int:
    """Steps 4 and 5. Where the command cannot be executed, step 3 is taken back."""
    directory = order["run_directory"]
    try:
        os.chdir(order["cwd"])
        command = spawn(order, log)
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


def take_lock(directory: str) -> None:
    """Hold the lock until we and the command, which inherits it, are gone.

    Somebody who only tests the lock has it for microseconds, so one refusal proves nothing.
    """
    lock = os.open(f"{directory}/lock", os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(LOCK_ATTEMPTS):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if os.path.exists(f"{directory}/launch.json"):
                raise NotLaunched("taken", "this run was started before") from None
            time.sleep(LOCK_PAUSE_SECONDS)
        else:
            os.set_inheritable(lock, True)
            return
    raise NotLaunched("unclear", "another start of this run is under way")


def claim_launch(directory: str, record: dict[str, Any]) -> None:
    """Exclusive creation decides, even where the file system has no working locks."""
    path = f"{directory}/launch.json"
    try:
        launch = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise NotLaunched("taken", "this run was started before") from None
    try:
        os.write(launch, json.dumps(record).encode())
        os.fsync(launch)
        sync_directory(directory)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(launch)


def spawn(order: dict[str, Any], log: int) -> int:
    """The command in its own process group, with plain signals, our log and the lock.

    Unlike a fork, posix_spawn says here and now whether the program could be executed.
    """
    return os.posix_spawn(
        order["program"],
        order["command"],
        order["environment"],
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, log, 1),
            (os.POSIX_SPAWN_DUP2, log, 2),
        ],
        setpgroup=0,
        setsigmask=(),
        setsigdef=SIGNALS_GIVEN_BACK,
    )


def wait_for_end(command: int, wake: int, control: int, grace: float) -> dict[str, Any]:
    """Sleep until the command ends; on a cancel, SIGTERM to its group and SIGKILL after `grace`.

    The command is not reaped before it has ended, so its group's number cannot be another's.
    """
    deadline = None
    killed = False
    while True:
        reaped, status = os.waitpid(command, os.WNOHANG)
        if reaped:
            ended_at = time.time()
            break
        timeout = None if deadline is None or killed else max(0.0, deadline - time.monotonic())
        ready = select.select([wake, control], [], [], timeout)[0]
        for pipe in ready:
            os.read(pipe, 4096)
        if control in ready and deadline is None:
            signal_group(command, signal.SIGTERM)
            deadline = time.monotonic() + grace
        elif deadline is not None and not killed and time.monotonic() >= deadline:
            signal_group(command, signal.SIGKILL)
            killed = True
    if deadline is not None and not killed:
        finish_group(command, deadline)
    code = os.waitstatus_to_exitcode(status)
    return {
        "exit_code": code if code >= 0 else None,
        "signal": signal_name(-code) if code < 0 else None,
        "ended_at": ended_at,
        "stopped_by_us": deadline is not None,
    }


def finish_group(group: int, deadline: float) -> None:
    """After a cancel, what the command started gets the rest of the grace, then SIGKILL.

    A group's number stays taken while it has a member, so an empty one is never signalled.
    """
    while signal_group(group, 0):
        if time.monotonic() >= deadline:
            signal_group(group, signal.SIGKILL)
            return
        time.sleep(GROUP_PAUSE_SECONDS)


def stop_orphan(directory: str) -> None:
    """Cancel a command whose supervisor was killed; it ends itself when that is done."""
    with open(f"{directory}/process.json", encoding="utf-8") as file:
        record = json.load(file)
    command, identity, grace = record["pid"], record["identity"], record["grace_seconds"]
    if identity is None or identity_of(command) != identity:
        return
    signal_group(command, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while identity_of(command) == identity:
        if time.monotonic() >= deadline:
            signal_group(command, signal.SIGKILL)
            return
        time.sleep(GROUP_PAUSE_SECONDS)
    finish_group(command, deadline)


def identity_of(pid: int) -> str | None:
    """When this process started, which tells it from another one with the same id. None: gone.

    Linux counts in ticks since a boot that has an id; elsewhere `ps` gives the second.
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return None if fields[0] in "ZX" else f"{file.read().strip()}/{fields[19]}"
    except FileNotFoundError:
        if os.path.exists("/proc/self/stat"):
            return None
    except ProcessLookupError:
        return None
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


def open_wake_pipe() -> int:
    """A pipe that becomes readable whenever a child ends."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


def open_control(directory: str) -> int:
    """The reading end of the control pipe. The writing end stays open too: no end of file."""
    path = f"{directory}/control"
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    return reader


def write_ending(path: str, ending: dict[str, Any]) -> None:
    """A full disk delays the truth; it must not lose it. Until then the run counts as alive."""
    while True:
        try:
            write_whole(path, ending, durable=True)
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            time.sleep(NO_SPACE_PAUSE_SECONDS)
        else:
            return


def write_whole(path: str, record: dict[str, Any], *, durable: bool = False) -> None:
    draft = f"{path}.draft"
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(record, file)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    os.replace(draft, path)
    if durable:
        sync_directory(os.path.dirname(path))


def sync_directory(directory: str) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def answer(outcome: str, message: str) -> None:
    """One line for whoever started us, if it still lives; then nobody listens any more."""
    with contextlib.suppress(OSError):
        sys.stdout.write(json.dumps({"outcome": outcome, "message": message}) + "\n")
        sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def main() -> None:
    """Read the order, then go on as a child that nobody has to wait for.

    Raises:
        ValueError: the order is not whole, because its sender died; nothing is started.
    """
    order = json.load(sys.stdin)
    if os.fork():
        os._exit(0)
    if order.get("stop_orphan"):
        answer("launched", "")
        stop_orphan(order["run_directory"])
    else:
        supervise(order)


if __name__ == "__main__":
    main()
