"""Everything of one job that a person may want to know, in reading order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from trainbell.cli.output import clock_time, fact_page, number_text, span, state_text
from trainbell.plain_text import one_line

TAGS_SHOWN = 20


def job_page(job: Mapping[str, Any]) -> Table:
    """A job of `GET /v1/jobs/{id}`."""
    return fact_page((*_what(job), *_how_it_goes(job), *_times(job), *_worth(job), *_trouble(job)))


def _what(job: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    state = state_text(job["state"])
    if job["end_reason"] and job["end_reason"] != "completed":
        state.append(f"  {job['end_reason'].replace('_', ' ')}", style="dim")
    yield "job", job["id"]
    yield "state", state
    yield "name", job["name"]
    yield "provider", _where(job)
    yield "dataset", job["dataset"]
    yield "model", job["model"]
    yield "tags", ", ".join(f"{k}={v}" for k, v in list(job["tags"].items())[:TAGS_SHOWN])
    yield "schedule", job["schedule"]
    yield "retry of", job["retry_of"]
    yield "found again of", job["found_again_of"]


def _where(job: Mapping[str, Any]) -> str:
    own = [] if job["connection"] == job["provider"] else [f"connection {job['connection']}"]
    project = [] if job["project"] == "default" else [f"project {job['project']}"]
    return ", ".join([job["provider"], job["kind"], *own, *project])


def _how_it_goes(job: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    yield "at the service", job["vendor_status"]
    yield "stage", job["stage"]
    if job["progress"] is not None:
        yield "progress", f"{job['progress']:.0%}"
    yield "queue position", job["queue_position"]
    yield "message", job["message"]
    yield "exit code", job["exit_code"]
    yield "signal", job["signal"]
    yield "cut", _cut(job)


def _cut(job: Mapping[str, Any]) -> str:
    """What is not all shown, and where it is."""
    lost = sorted({*job["cut"]} - {*job["in_full"]})
    where = f"{', '.join(job['in_full'])} (in full: trainbell in-full {job['id']})"
    return ", ".join([*([where] if job["in_full"] else []), *lost])


def _times(job: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    yield "requested", clock_time(job["created_at"])
    yield "started", clock_time(job["started_at"])
    yield "ended", clock_time(job["ended_at"])
    yield "took", span(job["duration_seconds"])
    yield "about to end", clock_time(job["eta_at"])
    yield "deadline", clock_time(job["deadline_at"])
    yield "looks again", clock_time(job["next_poll_at"])


def _worth(job: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in job["performance"]["metrics"].items():
        yield one_line(name, 40), number_text(value)
    for name, value in job["performance"]["cost"].items():
        yield one_line(name, 40), number_text(value)


def _trouble(job: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    if job["may_still_cost"]:
        yield "cost", Text("it may still run, and cost, at the service", style="yellow")
    error = job["last_error"]
    if error:
        yield "last error", Text(one_line(f"{error['type']}: {error['message']}", 500), style="red")
