"""Which of a job's troubles stand in its audit trail: all of the first few, then fewer and fewer.

A trouble begins when looking at the job fails, or fails in other words than before. A service that
flaps, or words each failure anew, has endless ones.
"""

from __future__ import annotations

from trainbell.domain.events import EventType
from trainbell.domain.failure import Failure
from trainbell.domain.recording import Recorder

NOTED_EACH = 8


def note_trouble(record: Recorder, failure: Failure) -> None:
    """Count it, and note it if it is one of the first eight, or the 16th, 32nd, 64th, …; each of
    the latter says how many were left out before it."""
    troubles = record.job.watch.troubles + 1
    record.watch(troubles=troubles)
    if not is_noted(troubles):
        return
    data: dict[str, object] = {"error": failure.type, "message": failure.message}
    if troubles > NOTED_EACH:
        data["left_out"] = troubles // 2 - 1
    record.note(EventType.POLL_FAILED, data)


def is_noted(troubles: int) -> bool:
    """Whether the trouble of this number is in the trail, and so is the recovery from it."""
    is_power_of_two = troubles & (troubles - 1) == 0
    return troubles <= NOTED_EACH or is_power_of_two
