"""`trainbell start | wait | cancel | retry | forget`: changing jobs, and waiting for them."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.exit_codes import OF_STATE, ExitCode
from trainbell.cli.looking import print_job
from trainbell.cli.options import JobArgument, JsonOption, UrlOption
from trainbell.cli.order_options import OrderOptions, takes_order
from trainbell.cli.output import console, errors, name_of, print_json, state_text
from trainbell.cli.waiting import wait_for_end
from trainbell.cli.watched import Watched
from trainbell.client import JsonObject, NotReached


@takes_order
def start(
    order: OrderOptions,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key never starts a second job (8 hours).")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it has ended.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a job. Ctrl-C while waiting only stops the looking, never the job."""
    body = order.body()
    if not wait:
        with find_trainbell(url) as client:
            print_job(client.start(body, idempotency_key=idempotency_key), as_json)
        return
    with Watched(url) as watched:
        job = watched.client.start(body, idempotency_key=idempotency_key)
        wait_and_exit(watched, job, as_json)


def wait(job: JobArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Stay until a job has ended; the exit status says how. Ctrl-C only stops the looking."""
    with Watched(url) as watched:
        wait_and_exit(watched, watched.client.job(job), as_json)


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


def resend(job: JobArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Answer that nothing of an unclear start is at the service, so that it is sent again."""
    with find_trainbell(url) as client:
        print_job(client.resend(job), as_json)


def redeliver(
    job: JobArgument,
    channel: Annotated[
        str | None, typer.Option(help="Only to this one, also what it was told already.")
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell a job's events again: what was given up, or all of them to one channel."""
    with find_trainbell(url) as client:
        again = client.redeliver(job, channel)
    if as_json:
        print_json(again)
        return
    for each in again["items"]:
        console.print(f"{each['event_type']} to {each['channel']} is due again", markup=False)


def forget(job: JobArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Forget an ended job, with its history."""
    with find_trainbell(url) as client:
        client.forget(job)
    if as_json:
        print_json({"id": job, "forgotten": True})
    else:
        console.print(f"{job}  forgotten", markup=False)


def wait_and_exit(watched: Watched, job: JsonObject, as_json: bool) -> NoReturn:
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
