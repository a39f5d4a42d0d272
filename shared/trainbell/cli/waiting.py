"""Waits for a job to end, with a live bar where there is a terminal to draw it on."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column

from trainbell.cli.output import STYLE_OF, errors, metrics_text, span
from trainbell.cli.watched import Watched
from trainbell.client import ApiProblem, JsonObject, NotReached
from trainbell.plain_text import one_line

LOOK_EVERY_SECONDS = 0.5
UNREACHED_FOR_AT_MOST_SECONDS = 60.0
COMES_BACK_WITHIN_SECONDS = 5.0
"""A server that was lost is waited for, before this process looks after the job itself."""

BAR_CELLS = 24

Sleep = Callable[[float], None]


class Screen(AbstractContextManager["Screen"]):
    """What is shown meanwhile. This one shows nothing, for programs."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""

    def show(self, job: JsonObject) -> None:
        """The job as it is now."""

    def unreached(self, why: str) -> None:
        """Trainbell does not answer just now."""


def wait_for_end(
    watched: Watched, job_id: str, *, quiet: bool = False, sleep: Sleep = time.sleep
) -> JsonObject:
    """The job once it has ended. Never cancels it, whatever happens here.

    Raises:
        NotReached: Trainbell did not answer for a minute; the job is not touched by that.
        ApiProblem: it refuses, such as a job that it does not know.
    """
    with Screen() if quiet else Bar() if errors.is_terminal else Lines() as screen:
        while True:
            job = _look(watched, job_id, screen, sleep)
            screen.show(job)
            if job["has_ended"]:
                return job
            if job.get("moved_at"):
                raise NotReached(f"job {job_id} has moved to another Trainbell: wait for it there")
            sleep(LOOK_EVERY_SECONDS)


def _look(watched: Watched, job_id: str, screen: Screen, sleep: Sleep) -> JsonObject:
    """One look at the job; a Trainbell that restarts meanwhile is waited for."""
    waited = 0.0
    while True:
        if watched.make_room():
            screen.unreached("a server takes over")
        try:
            return watched.client.job(job_id)
        except (NotReached, ApiProblem) as error:
            passes = isinstance(error, NotReached) or error.passes
            if not passes or waited >= UNREACHED_FOR_AT_MOST_SECONDS:
                raise
            screen.unreached(str(error))
        sleep(1.0)
        waited += 1.0
        with suppress(NotReached):
            watched.find_again(may_host=waited >= COMES_BACK_WITHIN_SECONDS)


class Lines(Screen):
    """A line for each change, where there is no terminal to draw on."""

    def __init__(self) -> None:
        self._told: str | None = None

    def show(self, job: JsonObject) -> None:
        self._tell(f"{job['id']}  {job['state']}", STYLE_OF.get(job["state"], ""))

    def unreached(self, why: str) -> None:
        self._tell(f"{why}; waiting for it", "yellow")

    def _tell(self, line: str, style: str) -> None:
        if line != self._told:
            self._told = line
            errors.print(line, style=style, markup=False, soft_wrap=True)


class Bar(Screen):
    """State, progress, how long, what it says; in one line that vanishes in the end."""

    def __init__(self) -> None:
        rest = Column(no_wrap=True, overflow="ellipsis", ratio=1)
        self._progress = Progress(
            SpinnerColumn(style="blue"),
            TextColumn("[{task.fields[style]}]{task.fields[state]}[/]"),
            BarColumn(BAR_CELLS, complete_style="blue", finished_style="blue", pulse_style="blue"),
            TextColumn("{task.fields[share]:>4}"),
            TextColumn("{task.fields[took]}"),
            TextColumn("{task.fields[said]}", style="dim", markup=False, table_column=rest),
            console=errors,
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task(
            "", total=None, style="dim", state="", share="", took="", said=""
        )

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, job: JsonObject) -> None:
        progress = job.get("progress")
        self._progress.update(
            self._task,
            total=None if progress is None else 1.0,
            completed=progress or 0.0,
            style=STYLE_OF.get(job["state"], "default"),
            state=job["state"],
            share="" if progress is None else f"{progress:.0%}",
            took=span(int(job["duration_seconds"])),
            said=_said(job),
        )

    def unreached(self, why: str) -> None:
        self._progress.update(self._task, said=f"{why}; waiting for it")


def _said(job: dict[str, Any]) -> str:
    error = job.get("last_error")
    if error:
        return one_line(f"{error['type']}: {error['message']}")
    parts = (_left(job), one_line(job.get("message") or ""), metrics_text(job, limit=2))
    return " · ".join(part for part in parts if part)


def _left(job: dict[str, Any]) -> str:
    if not job.get("eta_at"):
        return ""
    left = (datetime.fromisoformat(job["eta_at"]) - datetime.now(UTC)).total_seconds()
    return f"about {span(round(left))} left" if left >= 1 else "about to end"
