"""What the exit status of `trainbell` means. Scripts rely on it: these numbers do not change."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """0 is good news. `wait` and `start --wait` end with the state of the job."""

    SUCCEEDED = 0
    INTERNAL = 1
    BAD_INPUT = 2
    FAILED = 3
    CANCELLED = 4
    EXPIRED = 5
    LOST = 6
    NOT_REACHED = 7
    REFUSED = 8
    DETACHED = 130


OF_STATE = {
    "succeeded": ExitCode.SUCCEEDED,
    "failed": ExitCode.FAILED,
    "cancelled": ExitCode.CANCELLED,
    "expired": ExitCode.EXPIRED,
    "lost": ExitCode.LOST,
}

MEANINGS = {
    ExitCode.SUCCEEDED: "done; with --wait: the job succeeded",
    ExitCode.INTERNAL: "a fault of Trainbell itself",
    ExitCode.BAD_INPUT: "wrong options or input; nothing was done",
    ExitCode.FAILED: "the job failed",
    ExitCode.CANCELLED: "the job was cancelled",
    ExitCode.EXPIRED: "the job passed its deadline",
    ExitCode.LOST: "the job's service no longer knows it",
    ExitCode.NOT_REACHED: "no Trainbell answers, or it cannot reach what it needs",
    ExitCode.REFUSED: "Trainbell or the service refused: not found, conflict, not supported",
    ExitCode.DETACHED: "Ctrl-C: this command stopped looking; the job goes on",
}
