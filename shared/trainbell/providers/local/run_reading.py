"""What a run directory's records mean: a status, and an observation with words for a person."""

from __future__ import annotations

from datetime import datetime

from trainbell.domain.job import State
from trainbell.domain.observation import Observation
from trainbell.providers.local.progress_file import Report
from trainbell.providers.local.run_directory import Ending
from trainbell.providers.local.status_map import STATUS_MAP, Status


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
    seen_at: datetime,
    started_at: datetime | None,
) -> Observation:
    state, reason = STATUS_MAP[status]
    return Observation(
        seen_at=seen_at,
        vendor_status=status.value,
        state=state,
        end_reason=reason,
        stage=report.stage,
        progress=report.progress,
        message=_message(status, ending, report.message),
        performance=report.performance,
        exit_code=ending.exit_code if ending else None,
        signal=ending.signal if ending else None,
        started_at=started_at,
        ended_at=ending.ended_at if ending else None,
    )


def _message(status: Status, ending: Ending | None, reported: str | None) -> str | None:
    if STATUS_MAP[status][0] is not State.FAILED:
        return reported
    if ending is None:
        cause = (
            "The command ended and its exit code is unknown: its supervisor was killed, "
            "or the machine went down."
        )
    elif ending.signal == "SIGKILL":
        cause = "The command was ended by SIGKILL (often the system's, when memory runs out)."
    elif ending.signal:
        cause = f"The command was ended by {ending.signal}."
    else:
        cause = f"The command ended with exit code {ending.exit_code}."
    return f"{cause} Its last report: {reported}" if reported else cause
