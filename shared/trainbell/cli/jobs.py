"""`trainbell start | jobs | show | wait | cancel | retry | logs | events | forget`."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from trainbell.cli.connecting import find_trainbell, trainbell_for_watching
from trainbell.cli.exit_codes import OF_STATE, ExitCode
from trainbell.cli.options import JsonOption, ProjectOption, UrlOption, deadline, pairs, values
from trainbell.cli.output import (
    clock_time,
    console,
    errors,
    job_page,
    job_table,
    print_json,
    rows_table,
    state_text,
)
from trainbell.cli.waiting import wait_for_end
from trainbell.client import JsonObject, Trainbell

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]
LogLines = Annotated[int, typer.Option("--lines", "-n", min=1, max=1000)]


def start(
    provider: Annotated[str, typer.Option(help="Which training service; see `providers`.")],
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param", "-p", metavar="KEY=VALUE", help="A parameter; JSON is read as JSON."
        ),
    ] = None,
    params_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Parameters as a JSON file.")
    ] = None,
    connection: Annotated[
        str | None, typer.Option(help="Which account; the only one if none.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Training, evaluation …; see `providers`.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Unique in the project.")] = None,
    project: Annotated[str | None, typer.Option(help="The owner; `default` if none.")] = None,
    dataset: Annotated[str | None, typer.Option(help="What it is trained on.")] = None,
    model: Annotated[str | None, typer.Option(help="What it makes a version of.")] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE")] = None,
    deadline_at: Annotated[
        str | None, typer.Option("--deadline", help="2h30m from now, or a time with zone.")
    ] = None,
    when_busy: Annotated[str | None, typer.Option(help="refuse or wait")] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key never starts a second job (8 hours).")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it has ended.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a job. Ctrl-C while waiting only stops the looking, never the job."""
    parameters = json.loads(params_file.read_text()) if params_file else {}
    parameters |= values(param or [], "--param")
    if provider == "local":
        parameters.setdefault("cwd", os.getcwd())  # noqa: PTH109 - as the shell says it
    body = {
        "provider": provider,
        "connection": connection,
        "kind": kind,
        "project": project,
        "name": name,
        "parameters": parameters,
        "dataset": dataset,
        "model": model,
        "tags": pairs(tag or [], "--tag") or None,
        "deadline_at": deadline(deadline_at, datetime.now(UTC)),
        "when_busy": when_busy,
    }
    body = {key: value for key, value in body.items() if value is not None}
    if not wait:
        with find_trainbell(url) as client:
            job = client.start(body, idempotency_key=idempotency_key)
        _print_job(job, as_json)
        return
    with trainbell_for_watching(url) as (client, here):
        job = client.start(body, idempotency_key=idempotency_key)
        _wait_and_exit(client, job["id"], as_json, here)


def jobs(
    project: ProjectOption = None,
    state: Annotated[str | None, typer.Option(help="Only jobs in this state.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only this provider.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    tag: Annotated[str | None, typer.Option(help="KEY or KEY=VALUE")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 20,
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
        console.print(job_table(page["items"]))
        if page["next_cursor"]:
            console.print(f"more: --cursor {page['next_cursor']}", style="dim", soft_wrap=True)


def show(job: JobArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show all that is known of one job."""
    with find_trainbell(url) as client:
        _print_job(client.job(job), as_json)


def wait(job: JobArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Stay until a job has ended; the exit status says how. Ctrl-C only stops the looking."""
    with trainbell_for_watching(url) as (client, here):
        _wait_and_exit(client, job, as_json, here)


def cancel(job: JobArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Ask for a cancel. It has happened once the service confirms it."""
    with find_trainbell(url) as client:
        answer = client.cancel(job)
    if as_json:
        print_json(answer)
    else:
        console.print(f"{answer['id']}  ", state_text(answer["state"]), sep="")
        if not answer["has_ended"]:
            console.print("the service has yet to confirm; it may still cost money", style="dim")


def retry(job: JobArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Start a new job like an ended one, linked to it."""
    with find_trainbell(url) as client:
        _print_job(client.retry(job), as_json)


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
            console.print(line, markup=False, soft_wrap=True)


def events(job: JobArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Print everything that happened to a job, and who was told."""
    with find_trainbell(url) as client:
        happened = list(client.events(job))
        told = list(client.deliveries(job))
    if as_json:
        print_json({"events": happened, "deliveries": told})
        return
    console.print(
        rows_table(
            ("when", "event", "state", ""),
            (
                (
                    clock_time(each["at"]),
                    each["type"],
                    state_text(each["state"]),
                    _facts(each["data"]),
                )
                for each in happened
            ),
        )
    )
    if told:
        console.print()
        columns = ("told", "channel", "event", "state", "tries", "")
        console.print(rows_table(columns, (_delivery_row(each) for each in told)))


def forget(job: JobArgument, url: UrlOption = None) -> None:
    """Forget an ended job, with its history."""
    with find_trainbell(url) as client:
        client.forget(job)


def _delivery_row(each: JsonObject) -> tuple[Any, ...]:
    return (
        clock_time(each.get("done_at")),
        each["channel"],
        each["event_type"],
        state_text(each["state"]),
        each["attempts"],
        each.get("last_error"),
    )


def _facts(data: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in data.items() if value not in (None, False))


def _print_job(job: JsonObject, as_json: bool) -> None:
    if as_json:
        print_json(job)
    else:
        console.print(job_page(job))


def _wait_and_exit(client: Trainbell, job_id: str, as_json: bool, here: bool) -> None:
    try:
        if here and not as_json:
            errors.print(
                "no Trainbell is running: this command watches the job itself", style="dim"
            )
        job = wait_for_end(client, job_id, quiet=as_json)
    except KeyboardInterrupt:
        come_back = f"trainbell wait {job_id}"
        errors.print(f"\nThe job goes on. Come back with:  {come_back}", soft_wrap=True)
        if here:
            errors.print("Nobody watches it until then, or until `trainbell up` runs.", style="dim")
        raise typer.Exit(ExitCode.DETACHED) from None
    _print_job(job, as_json)
    raise typer.Exit(OF_STATE[job["state"]])
