"""What the demo shows: the jobs live, then a table and the messages that were received."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from trainbell.cli.output import console, metrics_text, span, state_text
from trainbell.client import JsonObject
from trainbell.demo.scene import Scene

LOOK_EVERY_SECONDS = 0.25


def show_live(scene: Scene) -> list[JsonObject]:
    """Draw the jobs until all have ended. The jobs, as they ended."""
    if not console.is_terminal:
        return _show_changes(scene)
    jobs = scene.jobs()
    with Live(_live_table(jobs), console=console, refresh_per_second=8, transient=True) as live:
        while not scene.is_over(jobs):
            time.sleep(LOOK_EVERY_SECONDS)
            jobs = scene.jobs()
            live.update(_live_table(jobs))
    return jobs


def _show_changes(scene: Scene) -> list[JsonObject]:
    told: dict[str, str] = {}
    while True:
        jobs = scene.jobs()
        for job in jobs:
            if told.get(job["id"]) != job["state"]:
                told[job["id"]] = job["state"]
                console.print(f"{_name(job):<14} {job['state']}")
        if scene.is_over(jobs):
            return jobs
        time.sleep(LOOK_EVERY_SECONDS)


def show_results(jobs: list[JsonObject], messages: list[dict[str, Any]]) -> None:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for column in ("training", "provider", "started by", "state", "took", "metrics"):
        table.add_column(column, overflow="fold")
    for job in jobs:
        started_by = "schedule" if job.get("schedule") else "API"
        table.add_row(
            _name(job),
            job["provider"],
            started_by,
            state_text(job["state"]),
            span(job["duration_seconds"]),
            metrics_text(job) or Text(str(job.get("message") or "")[:60], style="dim"),
        )
    console.print()
    console.print(table)
    console.print()
    console.print("Slack received", style="dim")
    for message in messages:
        console.print(Padding(_message(message), (0, 0, 0, 2)))


def _live_table(jobs: Iterable[JsonObject]) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for job in jobs:
        progress = job.get("progress")
        bar: RenderableType = ""
        if progress is not None and not job["has_ended"]:
            bar = ProgressBar(total=1.0, completed=progress, width=24)
        elif not job["has_ended"]:
            bar = ProgressBar(total=None, pulse=True, width=24)
        said = metrics_text(job, limit=2) or str(job.get("message") or "")[:50]
        table.add_row(
            _name(job),
            job["provider"],
            state_text(f"{job['state']:<10}"),
            bar,
            span(job["duration_seconds"]),
            Text(said, style="dim"),
        )
    return Group(table)


def _name(job: JsonObject) -> str:
    return str(job.get("name") or job.get("model") or job["id"])


def _message(message: dict[str, Any]) -> Text:
    """The text of a Block Kit message, as a phone's notification shows it."""
    return Text(str(message.get("text", "")))
