"""How things look in a terminal: calm tables for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from trainbell.plain_text import harmless, harmless_json, one_line, spell_number

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
WHOLE = frozenset({"job", "state", "provider", "took", "when", "told", "event", "channel", "tries"})
"""Columns that are never broken or cut."""
CUT = frozenset({"name", "metrics"})
"""Columns that are cut where there is no room; elsewhere they can be read in full."""
PIPE_COLUMNS = 1000
METRICS_FROM_COLUMNS = 100
NAME_AT_MOST = 40


class TrainbellConsole(Console):
    """The one way to the terminal: whatever is printed on it is made harmless.

    As wide as the terminal; a file or a pipe has room for everything.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment  # Rich's own, never a text of somebody else.
            else:
                yield Segment(harmless(segment.text), segment.style)

    @property
    def size(self) -> ConsoleDimensions:
        found = super().size
        if self.is_terminal or "COLUMNS" in self._environ:
            return found
        return ConsoleDimensions(PIPE_COLUMNS, found.height)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size


console = TrainbellConsole(highlight=False)
errors = TrainbellConsole(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Plain, so that it can be piped; never coloured or wrapped."""
    sys.stdout.write(harmless_json(value) + "\n")


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


def clock_time(text: str | None, zone: str | None = None) -> str:
    """An RFC 3339 time in the reader's own zone; or in this one, and then it is named."""
    if not text:
        return ""
    at = datetime.fromisoformat(text)
    if zone is None:
        return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        at = at.astimezone(ZoneInfo(zone))
    except (ValueError, OSError, ZoneInfoNotFoundError):
        at = at.astimezone()  # This machine does not know the server's zone.
    return at.strftime("%Y-%m-%d %H:%M:%S %Z")


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


def job_table(jobs: Iterable[Mapping[str, Any]], width: int) -> Table:
    """One line a job, in 80 columns if need be; `show` has the rest."""
    columns = ("job", "state", "provider", "took", "name", "metrics")
    shown = columns if width >= METRICS_FROM_COLUMNS else columns[:-1]
    return rows_table(shown, (_job_row(job)[: len(shown)] for job in jobs))


def _job_row(job: Mapping[str, Any]) -> tuple[Any, ...]:
    state = state_text(job["state"])
    if job["progress"] is not None and not job["has_ended"]:
        state.append(f" {job['progress']:.0%}")
    said = metrics_text(job) or one_line(job.get("message") or "", 60)
    return (
        Text(job["id"], style="dim"),
        state,
        job["provider"],
        span(job["duration_seconds"]),
        Text(one_line(name_of(job), NAME_AT_MOST)),
        Text(said, style="dim"),
    )


def rows_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A line a row where it fits. What is not text yet is made so, harmless for a terminal."""
    texts = [[each if isinstance(each, Text) else _plain(each) for each in row] for row in rows]
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        widest = max((row[number].cell_len for row in texts), default=0)
        whole = max(widest, len(column)) if column in WHOLE else None
        table.add_column(column, min_width=whole, no_wrap=bool(whole), overflow="fold")
        for row in texts if column in CUT else ():
            # Said of the cell: a column that must not wrap is not made narrower either.
            row[number].no_wrap, row[number].overflow = True, "ellipsis"
    for row in texts:
        table.add_row(*row)
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
