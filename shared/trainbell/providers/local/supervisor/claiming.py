# ruff: noqa: PTH108, PTH110
"""Steps 1 to 3: who may start this run, and on which GPUs. The kernel keeps every claim, so that
none needs to be given back by somebody who may be dead."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time

from .output import Output
from .records import sync_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOCK_ATTEMPTS = 250
LOCK_PAUSE_SECONDS = 0.02


class NotLaunched(Exception):
    """Nothing was started by this process; `outcome` says what that means."""

    def __init__(self, outcome: str, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


def claim(order: dict[str, Any], started_at: float) -> tuple[Output, int]:
    """Steps 1 to 3. Returns the command's output and the control pipe; the order's environment
    names the GPUs that were taken."""
    directory = order["run_directory"]
    try:
        take_lock(directory)
        gpus = take_gpus(order.get("gpus"))
        output = Output(directory, order["log_cap_bytes"])
        control = open_control(directory)
        record = {"supervisor": os.getpid(), "started_at": started_at, "gpus": gpus}
        claim_launch(directory, record)
    except OSError as error:
        message = f"cannot prepare the run: {error.strerror}"
        raise NotLaunched("unavailable", message) from error
    if gpus:
        order["environment"]["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
    return output, control


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


def take_gpus(wanted: dict[str, Any] | None) -> list[str]:
    """The GPUs of this run: the first free ones, held like the run's own lock, by us and by the
    command. None or all: what was taken is let go of when this process ends."""
    taken: list[str] = []
    if wanted is None:
        return taken
    os.makedirs(wanted["directory"], mode=0o700, exist_ok=True)  # noqa: PTH103
    for gpu in wanted["candidates"]:
        if len(taken) == wanted["count"]:
            break
        slot = os.open(f"{wanted['directory']}/{gpu}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(slot)
        else:
            os.set_inheritable(slot, True)
            taken.append(gpu)
    if len(taken) < wanted["count"]:
        message = f"{wanted['count']} GPUs are wanted, and {len(taken)} of this machine are free"
        raise NotLaunched("busy", message)
    return taken


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


def open_control(directory: str) -> int:
    """The reading end of the control pipe. The writing end stays open too: no end of file."""
    path = f"{directory}/control"
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    return reader
