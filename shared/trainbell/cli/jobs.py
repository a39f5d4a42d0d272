"""`trainbell start | wait | cancel | retry | forget`: changing jobs, and waiting for them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn

import typer

from trainbell.cli.connecting import Watched, find_trainbell
from trainbell.cli.exit_codes import OF_STATE, ExitCode
from trainbell.cli.looking import print_job
from trainbell.cli.options import (
    JobArgument,
    JsonOption,
    ParamOption,
    ParamsFileOption,
    TagOption,
    UrlOption,
    deadline,
    pairs,
    parameters,
)
from trainbell.cli.output import console, errors, name_of, print_json, state_text
from trainbell.cli.waiting import wait_for_end
from trainbell.client import JsonObject, NotReached

INTERVAL = "Seconds between two looks, at {}."


def start(
    provider: Annotated[str, typer.Option(help="Which training service; see `providers`.")],
    param: ParamOption = None,
    params_file: ParamsFileOption = None,
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
    tag: TagOption = None,
    deadline_at: Annotated[
        str | None, typer.Option("--deadline", help="2h30m from now, or a time with zone.")
    ] = None,
    when_busy: Annotated[
        str | None, typer.Option(metavar="refuse|wait", help="While another job is in its way.")
    ] = None,
    min_interval: Annotated[float | None, typer.Option(help=INTERVAL.format("least"))] = None,
    max_interval: Annotated[float | None, typer.Option(help=INTERVAL.format("most"))] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key never starts a second job (8 hours).")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it has ended.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a job. Ctrl-C while waiting only stops the looking, never the job."""
    body = given_only(
        provider=provider,
        connection=connection,
        kind=kind,
        project=project,
        name=name,
        parameters=with_cwd(provider, parameters(param, params_file)),
        dataset=dataset,
        model=model,
        tags=pairs(tag, "--tag") or None,
        deadline_at=deadline(deadline_at, datetime.now(UTC)),
        when_busy=when_busy,
        min_interval_seconds=min_interval,
        max_interval_seconds=max_interval,
    )
    if not wait:
        with find_trainbell(url) as client:
            print_job(client.start(body, idempotency_key=idempotency_key), as_json)
        return
    with Watched(url) as watched:
        job = watched.client.start(body, idempotency_key=idempotency_key)
        _wait_and_exit(watched, job, as_json)


def wait(job: JobArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Stay until a job has ended; the exit status says how. Ctrl-C only stops the looking."""
    with Watched(url) as watched:
        _wait_and_exit(watched, watched.client.job(job), as_json)


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
        print_job(client.retry(job), as_json)


def forget(job: JobArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Forget an ended job, with its history."""
    with find_trainbell(url) as client:
        client.forget(job)
    if as_json:
        print_json({"id": job, "forgotten": True})
    else:
        console.print(f"{job}  forgotten", markup=False)


def given_only(**fields: Any) -> JsonObject:
    """A body without what was not said: the server knows what goes then."""
    return {key: value for key, value in fields.items() if value is not None}


def with_cwd(provider: str, parameters: JsonObject) -> JsonObject:
    """A local command runs where it was asked for, as a shell does it."""
    return {"cwd": os.getcwd(), **parameters} if provider == "local" else parameters  # noqa: PTH109


def _wait_and_exit(watched: Watched, job: JsonObject, as_json: bool) -> NoReturn:
    """Ends the command with the status that the job's end stands for."""
    come_back = f"trainbell wait {job['id']}"
    try:
        if not as_json:
            _introduce(watched, job)
        job = wait_for_end(watched, job["id"], quiet=as_json)
        watched.tell_now()
    except KeyboardInterrupt:
        errors.print(f"The job goes on. Come back with:  {come_back}", soft_wrap=True)
        if watched.here:
            errors.print("Nobody watches it until then, or until `trainbell up` runs.", style="dim")
        raise typer.Exit(ExitCode.DETACHED) from None
    except NotReached as error:
        message = f"{error}; the job is not touched by that. Come back with:  {come_back}"
        raise NotReached(message) from error
    print_job(job, as_json)
    raise typer.Exit(OF_STATE[job["state"]])


def _introduce(watched: Watched, job: JsonObject) -> None:
    name = name_of(job)
    line = f"{job['id']}  {name + ' at ' if name else ''}{job['provider']}"
    errors.print(line, style="dim", markup=False, soft_wrap=True)
    if watched.here:
        errors.print("no Trainbell is running: this command watches the job itself", style="dim")
