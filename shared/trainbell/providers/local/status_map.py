"""What the words of this provider mean. The words are ours, so the table is complete."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from trainbell.domain.job import EndReason, State


class Status(StrEnum):
    """What a run directory can tell."""

    RUNNING = "running"
    STOPPING = "stopping"
    COMPLETED = "completed"
    EXITED = "exited"
    SIGNALLED = "signalled"
    STOPPED = "stopped"
    VANISHED = "vanished"


STATUS_MAP: Mapping[Status, tuple[State, EndReason | None]] = {
    Status.RUNNING: (State.RUNNING, None),
    Status.STOPPING: (State.CANCELLING, None),
    Status.COMPLETED: (State.SUCCEEDED, EndReason.COMPLETED),
    Status.EXITED: (State.FAILED, EndReason.EXIT_CODE),
    Status.SIGNALLED: (State.FAILED, EndReason.SIGNAL),
    Status.STOPPED: (State.CANCELLED, None),
    Status.VANISHED: (State.FAILED, EndReason.SERVICE_FAILED),
}
