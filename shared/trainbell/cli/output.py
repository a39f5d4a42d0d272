"""How things look in a terminal: calm tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

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

console = Console(highlight=False, soft_wrap=False)
errors = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Plain, so that it can be piped; never coloured or wrapped."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def state_text(state: str) -> Text:
    return Text(state, style=STYLE_OF.get(state, ""))


def span(seconds: float | None) -> str:
    """A duration as people say it: `42 s`, `3 min 20 s`, `5 h 12 min`, `12 d 4 h`."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
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


def metrics_text(job: Mapping[str, Any], limit: int = 3) -> str:
    metrics = (job.get("performance") or {}).get("metrics") or {}
    shown = [f"{name} {value:.4g}" for name, value in list(metrics.items())[:limit]]
    more = len(metrics) - len(shown)
    return ", ".join(shown) + (f" +{more}" if more > 0 else "")


def progress_text(job: Mapping[str, Any]) -> str:
    progress = job.get("progress")
    return "" if progress is None else f"{progress:.0%}"


def job_table(jobs: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("job", "state", "provider", "name", "progress", "took", "metrics")
    for job in jobs:
        table.add_row(
            Text(job["id"], style="dim"),
            state_text(job["state"]),
            job["provider"],
            job.get("name") or job.get("model") or "",
            progress_text(job),
            span(job.get("duration_seconds")),
            metrics_text(job),
        )
    return table


def rows_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    table = _table(*columns)
    for row in rows:
        table.add_row(*(each if isinstance(each, Text) else str(each or "") for each in row))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def job_page(job: Mapping[str, Any]) -> Table:
    """Everything of one job that a person may want to know, in reading order."""
    page = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    page.add_column(style="dim", no_wrap=True)
    page.add_column(overflow="fold")
    for label, value in _job_lines(job):
        if value not in (None, "", {}, []):
            page.add_row(label, value if isinstance(value, Text) else str(value))
    return page


def _job_lines(job: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    state = state_text(job["state"])
    if job.get("end_reason"):
        state.append(f"  {job['end_reason']}", style="dim")
    yield "job", job["id"]
    yield "state", state
    yield "name", job.get("name")
    yield "provider", f"{job['provider']} / {job['connection']} / {job['kind']}"
    yield "at the service", job.get("vendor_status")
    yield "stage", job.get("stage")
    yield "progress", progress_text(job)
    yield "queue position", job.get("queue_position")
    yield "message", job.get("message")
    yield "dataset", job.get("dataset")
    yield "model", job.get("model")
    yield "requested", clock_time(job.get("created_at"))
    yield "started", clock_time(job.get("started_at"))
    yield "ended", clock_time(job.get("ended_at"))
    yield "took", span(job.get("duration_seconds"))
    yield "deadline", clock_time(job.get("deadline_at"))
    yield "exit code", job.get("exit_code")
    yield "signal", job.get("signal")
    for name, value in ((job.get("performance") or {}).get("metrics") or {}).items():
        yield name, f"{value:.4g}"
    if job.get("may_still_cost"):
        yield "cost", Text("it may still run, and cost, at the service", style="yellow")
    error = job.get("last_error")
    if error:
        yield "last error", Text(f"{error['type']}: {error['message']}", style="red")
    yield "looks again", clock_time(job.get("next_poll_at"))
