"""The order, and the steps in their order."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time

from .claiming import NotLaunched, claim
from .commanding import launch, stop_orphan, wait_for_end
from .kernel import become_subreaper
from .records import write_ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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


def supervise(order: dict[str, Any]) -> None:
    """Steps 1 to 7. Returns when the command has ended and its end is on disk."""
    for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    become_subreaper()
    wake = open_wake_pipe()
    started_at = time.time()
    try:
        output, control = claim(order, started_at)
        command = launch(order, output)
    except NotLaunched as reason:
        answer(reason.outcome, str(reason))
        return
    os.dup2(output.log, 2)
    answer("launched", "")
    ending = wait_for_end(order, command, wake, control, output)
    write_ending(f"{order['run_directory']}/exit.json", {**ending, "started_at": started_at})


def open_wake_pipe() -> int:
    """A pipe that becomes readable whenever a child ends."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


def answer(outcome: str, message: str) -> None:
    """One line for whoever started us, if it still lives; then nobody listens any more."""
    with contextlib.suppress(OSError):
        sys.stdout.write(json.dumps({"outcome": outcome, "message": message}) + "\n")
        sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
