"""`trainbell jobs | show | logs | events`: what is known of jobs."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.text import Text

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.job_page import job_page
from trainbell.cli.options import JobArgument, JsonOption, ProjectOption, UrlOption
from trainbell.cli.output import (
    clock_time,
    console,
    job_table,
    print_json,
    rows_table,
    state_text,
)
from trainbell.client import JsonObject

LogLines = Annotated[int, typer.Option("--lines", "-n", min=1, max=1000, help="How many.")]


def jobs(
    project: ProjectOption = None,
    state: Annotated[
        str | None, typer.Option(help="Only in this state, or these: running,queued")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Only this provider.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    tag: Annotated[
        str | None, typer.Option(metavar="KEY[=VALUE]", help="Only with this tag.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at once.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="From the page before.")] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List jobs, newest first."""
    with find_trainbell(url) as client:
        page = client.jobs(
            project=project,
            state=state,
            provider=provider,
            kind=kind,
            model=model,
            dataset=dataset,
            tag=tag,
            limit=limit,
            cursor=cursor,
        )
    if as_json:
        print_json(page)
    elif not page["items"]:
        console.print("no jobs", style="dim")
    else:
        console.print(job_table(page["items"], console.width))
        for job_id in page.get("unreadable", ()):
            console.print(f"{job_id} is stored, but cannot be read", style="dim")
        if page["next_cursor"]:
            console.print(f"more: --cursor {page['next_cursor']}", style="dim", soft_wrap=True)


def show(job: JobArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show all that is known of one job."""
    with find_trainbell(url) as client:
        print_job(client.job(job), as_json)


def logs(
    job: JobArgument, lines: LogLines = 100, url: UrlOption = None, as_json: JsonOption = False
) -> None:
    """Print the end of a job's log."""
    with find_trainbell(url) as client:
        tail = client.logs(job, lines)
    if as_json:
        print_json({"lines": tail})
    else:
        for line in tail:
            # A training's colours are kept; whatever else it sends to move a terminal is not.
            console.print(Text.from_ansi(line), soft_wrap=True)


def in_full(job: JobArgument, url: UrlOption = None) -> None:
    """Print what a service said at a job's end and the job cannot hold, as JSON."""
    with find_trainbell(url) as client:
        print_json(client.in_full(job))


def events(job: JobArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Print everything that happened to a job, and who was told."""
    with find_trainbell(url) as client:
        happened = list(client.events(job))
        told = list(client.deliveries(job))
    if as_json:
        print_json({"events": happened, "deliveries": told})
        return
    columns: tuple[str, ...] = ("when", "event", "state", "")
    console.print(rows_table(columns, (_event_row(each) for each in happened)))
    if told:
        console.print()
        columns = ("told", "channel", "event", "state", "tries", "")
        console.print(rows_table(columns, (_delivery_row(each) for each in told)))


def print_job(job: JsonObject, as_json: bool) -> None:
    """As JSON, or as a page for people."""
    if as_json:
        print_json(job)
    else:
        console.print(job_page(job))


def _event_row(each: JsonObject) -> tuple[Any, ...]:
    at, state = clock_time(each["at"]), state_text(each["state"])
    return at, each["type"], state, Text(_facts(each["data"]), style="dim")


def _delivery_row(each: JsonObject) -> tuple[Any, ...]:
    return (
        clock_time(each["done_at"]),
        each["channel"],
        each["event_type"],
        state_text(each["state"]),
        each["attempts"],
        each["last_error"],
    )


def _facts(data: dict[str, Any]) -> str:
    return ", ".join(
        f"{key.replace('_', ' ')} {_fact(value)}"
        for key, value in data.items()
        if value not in (None, False)
    )


def _fact(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(str(each) for each in value.values())
    return value if isinstance(value, str) else json.dumps(value)
