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

from trainbell.channels.wording import one_line
from trainbell.cli.output import (
    console,
    metrics_text,
    name_of,
    number_text,
    span,
    state_text,
)
from trainbell.client import JsonObject
from trainbell.demo.scene import Scene
from trainbell.demo.slack_text import message_text

LOOK_EVERY_SECONDS = 0.25
METRICS = ("accuracy", "log_loss", "ece")
"""What examples/digits.py measures; ECE is the expected calibration error."""


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
    """A line for each change, where there is no terminal to draw on."""
    told: dict[str, str] = {}
    while True:
        jobs = scene.jobs()
        for job in jobs:
            if told.get(job["id"]) != job["state"]:
                told[job["id"]] = job["state"]
                console.print(f"{scene.seconds:5.1f} s  {_name(job):<13} {job['state']}")
        if scene.is_over(jobs):
            return jobs
        time.sleep(LOOK_EVERY_SECONDS)


def show_results(jobs: list[JsonObject], messages: list[dict[str, Any]]) -> None:
    """The table of what became of the jobs, and what Slack was told of them."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for column in ("training", "at", "started by", "state"):
        table.add_column(column, no_wrap=True)
    for column in ("took", *(metric.replace("_", " ") for metric in METRICS)):
        table.add_column(column, no_wrap=True, justify="right")
    for job in jobs:
        metrics = job["performance"]["metrics"]
        table.add_row(
            _name(job),
            job["provider"],
            "a schedule" if job["schedule"] else "the API",
            state_text(job["state"]),
            span(job["duration_seconds"]),
            *(number_text(metrics[each]) if each in metrics else "" for each in METRICS),
        )
    console.print()
    console.print(table)
    console.print(f"\nSlack received {len(messages)} messages:", style="dim")
    for message in messages:
        console.print(Padding(message_text(message), (1, 0, 0, 2), expand=False))
    console.print()


def _live_table(jobs: Iterable[JsonObject]) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for job in jobs:
        progress = job["progress"]
        bar: RenderableType = ""
        if progress is not None and not job["has_ended"]:
            bar = ProgressBar(total=1.0, completed=progress, width=24, complete_style="blue")
        elif not job["has_ended"]:
            bar = ProgressBar(total=None, pulse=True, width=24, pulse_style="blue")
        said = metrics_text(job, limit=2) or one_line(job["message"] or "", 50)
        table.add_row(
            _name(job),
            job["provider"],
            state_text(f"{job['state']:<10}"),
            bar,
            span(int(job["duration_seconds"])),
            Text(said, style="dim", no_wrap=True, overflow="ellipsis"),
        )
    return Group(table)


def _name(job: JsonObject) -> str:
    return name_of(job) or str(job["id"])
