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

from trainbell.cli.output import console, name_of, span, state_text
from trainbell.client import JsonObject
from trainbell.demo.scene import JOBS, Scene
from trainbell.demo.services import SERVICES
from trainbell.demo.slack_text import is_bad_news, message_in_short, message_text
from trainbell.plain_text import one_line

LOOK_EVERY_SECONDS = 0.25
BAR_COLUMNS = 14
SAID_AT_MOST = 60
MEASURES = {
    # What examples/digits.py measures; ECE is the expected calibration error.
    "local": {"accuracy": "accuracy", "log_loss": "loss", "ece": "ECE"},
    **{service.provider: service.measures for service in SERVICES},
}
_ON_THE_WAY = frozenset({"requested", "starting"})
"""States that pass too fast to be worth a line of their own."""


def show_live(scene: Scene) -> list[JsonObject]:
    """Draw the jobs until all have ended. The jobs, as they ended."""
    if not console.is_terminal:
        return _show_changes(scene)
    jobs = scene.jobs()
    with Live(_picture(scene, jobs), console=console, refresh_per_second=8, transient=True) as live:
        while not scene.is_over(jobs):
            time.sleep(LOOK_EVERY_SECONDS)
            jobs = scene.jobs()
            live.update(_picture(scene, jobs))
    return jobs


def _show_changes(scene: Scene) -> list[JsonObject]:
    """A line for each change, where there is no terminal to draw on."""
    told: dict[str, str] = {}
    while True:
        jobs = scene.jobs()
        for job in jobs:
            if told.get(job["id"]) != job["state"] and job["state"] not in _ON_THE_WAY:
                told[job["id"]] = job["state"]
                console.print(
                    f"{scene.seconds:5.1f} s  {job['provider']:<14}  {_name(job):<12}  "
                    f"{job['state']}"
                )
        if scene.is_over(jobs):
            return jobs
        time.sleep(LOOK_EVERY_SECONDS)


def show_results(jobs: list[JsonObject], messages: list[dict[str, Any]]) -> None:
    """The table of what became of the jobs, and what Slack was told of them."""
    table = _table()
    for column in ("training", "at", "started by", "state"):
        table.add_column(column, no_wrap=True)
    table.add_column("took", no_wrap=True, justify="right")
    table.add_column("measured", overflow="fold")
    for job in jobs:
        table.add_row(
            _name(job),
            job["provider"],
            "a schedule" if job["schedule"] else "the API",
            state_text(job["state"]),
            span(job["duration_seconds"]),
            _measured(job),
        )
    if not console.is_terminal:
        console.print()  # The lines of what changed stand above it, and no picture was taken away.
    console.print(table)
    _show_messages(messages)


def _show_messages(messages: list[dict[str, Any]]) -> None:
    """Good news a line each, bad news in full."""
    console.print(f"\nSlack received {len(messages)} messages:\n", style="dim")
    good = _table(show_header=False)
    for message in messages:
        if not is_bad_news(message):
            good.add_row(*message_in_short(message))
    console.print(Padding(good, (0, 0, 0, 2), expand=False))
    for message in filter(is_bad_news, messages):
        console.print(Padding(message_text(message), (1, 0, 0, 2), expand=False))
    console.print()


def _picture(scene: Scene, jobs: Iterable[JsonObject]) -> RenderableType:
    """One line a job, however narrow the terminal is, and how far it all is."""
    table = _table(show_header=False)
    ended = 0
    for job in jobs:
        ended += job["has_ended"]
        table.add_row(
            _name(job),
            job["provider"],
            _state(job),
            _bar(job),
            span(int(job["duration_seconds"])),
            Text(_said(job), style="dim", no_wrap=True, overflow="ellipsis"),
        )
    far = Text(f"\n{scene.seconds:.0f} s, {ended} of {JOBS} have ended", style="dim")
    return Group(table, far)


def _state(job: JsonObject) -> Text:
    """As wide for each state, so that nothing beside it moves."""
    state = state_text(job["state"])
    state.pad_right(len("succeeded") - state.cell_len)
    return state


def _bar(job: JsonObject) -> RenderableType:
    """Empty after the end; moving where the service does not say how far it is."""
    if job["has_ended"]:
        return ""
    if job["progress"] is None:
        return ProgressBar(total=None, pulse=True, width=BAR_COLUMNS, pulse_style="blue")
    return ProgressBar(
        total=1.0, completed=job["progress"], width=BAR_COLUMNS, complete_style="blue"
    )


def _said(job: JsonObject) -> str:
    said = _measured(job) if job["has_ended"] else job["stage"] or job["message"]
    return one_line(said or "", SAID_AT_MOST)


def _measured(job: JsonObject) -> str:
    """What matters of its metrics; of a job that did not succeed, the first words why."""
    if job["state"] != "succeeded":
        return one_line(
            (job["message"] or job["end_reason"] or "").partition(". ")[0], SAID_AT_MOST
        )
    metrics = job["performance"]["metrics"]
    measures = MEASURES[job["provider"]].items()
    told = ((name, metrics.get(key)) for key, name in measures)
    said = [f"{name} {value:.3g}" for name, value in told if value is not None]
    return ", ".join(said) or "nothing told"


def _table(*, show_header: bool = True) -> Table:
    return Table(
        box=None, show_header=show_header, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False
    )


def _name(job: JsonObject) -> str:
    return name_of(job) or str(job["id"])
