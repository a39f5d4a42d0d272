"""How things look in a terminal: calm tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, ConsoleDimensions
from rich.table import Table
from rich.text import Text

from trainbell.channels.wording import one_line, spell_number

__all__ = ["one_line"]

STYLE_OF = {
    "requested": "dim",
    "waiting": "dim",
    "starting": "cyan",
    "queued": "cyan",
    "running": "blue",
    "cancelling": "yellow",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "yellow",
    "expired": "magenta",
    "lost": "red",
    "delivered": "green",
    "pending": "yellow",
    "given_up": "red",
}
WHOLE = ("job", "state", "provider", "started by", "took", "when", "told", "name")
"""Columns that are never broken or cut; what has no room then is cut on the right."""
PIPE_COLUMNS = 1000


class ConsoleOfAnyWidth(Console):
    """As wide as the terminal; a file or a pipe has room for everything."""

    @property
    def size(self) -> ConsoleDimensions:
        found = Console.size.fget(self)  # type: ignore[attr-defined]  # a property of Console
        if self.is_terminal or "COLUMNS" in self._environ:
            return ConsoleDimensions(*found)
        return ConsoleDimensions(PIPE_COLUMNS, found.height)


console = ConsoleOfAnyWidth(highlight=False)
errors = ConsoleOfAnyWidth(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Plain, so that it can be piped; never coloured or wrapped."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def state_text(state: str) -> Text:
    return Text(state.replace("_", " "), style=STYLE_OF.get(state, ""))


def span(seconds: float | None) -> str:
    """A duration as people say it: `4.2 s`, `42 s`, `3 min 20 s`, `5 h 12 min`, `12 d 4 h`."""
    if seconds is None:
        return ""
    if isinstance(seconds, float) and seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def clock_time(text: str | None) -> str:
    """An RFC 3339 time in the reader's own zone."""
    if not text:
        return ""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def number_text(value: float | None) -> str:
    """As on every channel; a number that was not finite comes as none."""
    return "not finite" if value is None else spell_number(value)


def metrics_text(job: Mapping[str, Any], limit: int = 3) -> str:
    metrics = (job.get("performance") or {}).get("metrics") or {}
    shown = [f"{name} {number_text(value)}" for name, value in list(metrics.items())[:limit]]
    more = len(metrics) - len(shown)
    return ", ".join(shown) + (f" +{more}" if more > 0 else "")


def name_of(job: Mapping[str, Any]) -> str:
    """What people call it."""
    return one_line(job.get("name") or job.get("model") or "")


def job_table(jobs: Iterable[Mapping[str, Any]]) -> Table:
    """One line a job, in 80 columns if need be; `show` has the rest."""
    table = _table("job", "state", "provider", "took", "name", "metrics")
    table.columns[4].max_width = 32
    for job in jobs:
        state = state_text(job["state"])
        if job["progress"] is not None and not job["has_ended"]:
            state.append(f" {job['progress']:.0%}")
        table.add_row(
            Text(job["id"], style="dim"),
            state,
            job["provider"],
            span(job["duration_seconds"]),
            Text(name_of(job)),
            Text(metrics_text(job) or one_line(job.get("message") or "", 60), style="dim"),
        )
    return table


def rows_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    table = _table(*columns)
    for row in rows:
        table.add_row(*(each if isinstance(each, Text) else _plain(each) for each in row))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        if column in WHOLE[:-1]:
            table.add_column(column, no_wrap=True, min_width=len(column))
        elif column in ("name", "metrics"):
            table.add_column(column, no_wrap=True, overflow="ellipsis")
        else:
            table.add_column(column, overflow="fold")
    return table


def _plain(value: Any) -> Text:
    return Text("" if value is None else one_line(str(value), 500))


def fact_page(facts: Iterable[tuple[str, Any]]) -> Table:
    """Labels and values below each other; what is not known is left out."""
    page = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    page.add_column(style="dim", no_wrap=True)
    page.add_column(overflow="fold")
    for label, value in facts:
        if value not in (None, "", {}, []):
            page.add_row(Text(label), value if isinstance(value, Text) else _plain(value))
    return page
