"""What a run directory's records mean: a status, and an observation with words for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trainbell.domain.job import State
from trainbell.domain.observation import Observation
from trainbell.providers.local.progress_file import Report
from trainbell.providers.local.run_directory import Ending
from trainbell.providers.local.status_map import STATUS_MAP, Status

MAX_MESSAGE_CHARACTERS = 500
REASON_LINES = 3


def status_of(ending: Ending | None, *, alive: bool, cancelling: bool) -> Status:
    if ending is None:
        if alive:
            return Status.STOPPING if cancelling else Status.RUNNING
        return Status.STOPPED if cancelling else Status.VANISHED
    if ending.exit_code == 0:
        return Status.COMPLETED  # even after a SIGTERM: it chose to finish well
    if ending.stopped_by_us:
        return Status.STOPPED
    return Status.SIGNALLED if ending.signal else Status.EXITED


def observation_of(
    status: Status,
    ending: Ending | None,
    report: Report,
    *,
    seen_at: datetime,
    started_at: datetime | None,
    last_words: Sequence[str] = (),
    survivors: Sequence[str] = (),
) -> Observation:
    """`last_words`: the end of standard error, fit to be shown. `survivors`: what does not die."""
    state, reason = STATUS_MAP[status]
    return Observation(
        seen_at=seen_at,
        vendor_status=status.value,
        state=state,
        end_reason=reason,
        stage=report.stage,
        progress=report.progress,
        message=_message(status, ending, report.message, last_words, survivors),
        performance=report.performance,
        exit_code=ending.exit_code if ending else None,
        signal=ending.signal if ending else None,
        started_at=started_at,
        ended_at=ending.ended_at if ending else None,
    )


def _message(
    status: Status,
    ending: Ending | None,
    reported: str | None,
    last_words: Sequence[str],
    survivors: Sequence[str],
) -> str | None:
    state = STATUS_MAP[status][0]
    said = reported
    if state is State.CANCELLING and survivors:
        said = f"Still lives after SIGKILL: {', '.join(survivors)}."
    elif state is State.FAILED:
        said = _reason(ending, reported, last_words)
    if ending is not None and ending.outlived:
        left = f"It left running: {', '.join(ending.outlived)}."
        said = f"{said} {left}" if said else left
    return said


def _reason(ending: Ending | None, reported: str | None, last_words: Sequence[str]) -> str:
    """Its own last word first: that is what a person looks for."""
    cause = _cause(ending)
    lines = [line.strip() for line in last_words if line.strip()][-REASON_LINES:]
    if lines:
        before = f" Before that: {' | '.join(lines[:-1])}" if lines[:-1] else ""
        return f"{lines[-1][:MAX_MESSAGE_CHARACTERS]} ({cause}){before}"[:MAX_MESSAGE_CHARACTERS]
    cause = f"{cause[0].upper()}{cause[1:]}."
    return f"{cause} Its last report: {reported}" if reported else cause


def _cause(ending: Ending | None) -> str:
    if ending is None:
        return (
            "the command ended and its exit code is unknown: its supervisor was killed, or the "
            "machine went down"
        )
    if ending.signal == "SIGKILL":
        return "the command was ended by SIGKILL, often the system's when memory runs out"
    if ending.signal:
        return f"the command was ended by {ending.signal}"
    return f"the command ended with exit code {ending.exit_code}"
