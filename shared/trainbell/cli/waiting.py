"""Waits for a job to end, with a live bar where there is a terminal to draw it on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from trainbell.cli.output import STYLE_OF, errors, metrics_text
from trainbell.client import JsonObject, NotReached, Trainbell

LOOK_EVERY_SECONDS = 0.5
UNREACHED_FOR_AT_MOST_SECONDS = 60.0


def wait_for_end(
    client: Trainbell,
    job_id: str,
    *,
    quiet: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> JsonObject:
    """The job once it has ended. Never cancels it, whatever happens here.

    Raises:
        NotReached: Trainbell did not answer for a minute; the job is not touched by that.
    """
    look = _patient(client, job_id, sleep)
    job = look()
    if quiet:
        while not job["has_ended"]:
            sleep(LOOK_EVERY_SECONDS)
            job = look()
        return job
    if not errors.is_terminal:
        return _line_by_line(job, look, sleep)
    return _with_a_bar(job, look, sleep)


def _patient(
    client: Trainbell, job_id: str, sleep: Callable[[float], None]
) -> Callable[[], JsonObject]:
    """Looks at the job; a Trainbell that restarts meanwhile is waited for."""

    def look() -> JsonObject:
        waited = 0.0
        while True:
            try:
                return client.job(job_id)
            except NotReached:
                if waited >= UNREACHED_FOR_AT_MOST_SECONDS:
                    raise
                sleep(1.0)
                waited += 1.0

    return look


def _line_by_line(
    job: JsonObject, look: Callable[[], JsonObject], sleep: Callable[[float], None]
) -> JsonObject:
    told = None
    while True:
        if job["state"] != told:
            told = job["state"]
            errors.print(f"{job['id']}  {told}", style=STYLE_OF.get(told, ""))
        if job["has_ended"]:
            return job
        sleep(LOOK_EVERY_SECONDS)
        job = look()


def _with_a_bar(
    job: JsonObject, look: Callable[[], JsonObject], sleep: Callable[[float], None]
) -> JsonObject:
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[state]}"),
        BarColumn(bar_width=32),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[said]}", style="dim"),
        console=errors,
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=None, state=_styled(job["state"]), said="")
        while not job["has_ended"]:
            progress = job.get("progress")
            bar.update(
                task,
                total=None if progress is None else 1.0,
                completed=progress or 0.0,
                state=_styled(job["state"]),
                said=_said(job),
            )
            sleep(LOOK_EVERY_SECONDS)
            job = look()
    return job


def _styled(state: str) -> str:
    return f"[{STYLE_OF.get(state, 'default')}]{state:<10}[/]"


def _said(job: dict[str, Any]) -> str:
    error = job.get("last_error")
    if error:
        return f"{error['type']}: {error['message']}"[:80].replace("[", "\\[")
    parts = [str(job.get("message") or ""), metrics_text(job, limit=2)]
    return "  ".join(part for part in parts if part)[:80].replace("[", "\\[")
