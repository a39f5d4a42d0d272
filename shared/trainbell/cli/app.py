"""Puts the commands together and turns every failure into one clear message and an exit status."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from trainbell.cli import jobs, settings, up
from trainbell.cli.exit_codes import MEANINGS, ExitCode
from trainbell.cli.options import JsonOption
from trainbell.cli.output import console, errors, print_json
from trainbell.client import ApiProblem, NotReached
from trainbell.errors import TrainbellError
from trainbell.version import __version__

EPILOG = (
    "Exit status: " + "; ".join(f"{code.value} {text}" for code, text in MEANINGS.items()) + "."
)

app = typer.Typer(
    name="trainbell",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog=EPILOG,
    help="Start model training on any training service, watch it to its true end, and be told.",
)

app.command("up")(up.up)
app.command("start")(jobs.start)
app.command("jobs")(jobs.jobs)
app.command("show")(jobs.show)
app.command("wait")(jobs.wait)
app.command("cancel")(jobs.cancel)
app.command("retry")(jobs.retry)
app.command("logs")(jobs.logs)
app.command("events")(jobs.events)
app.command("forget")(jobs.forget)
app.add_typer(settings.connections, name="connections")
app.add_typer(settings.channels, name="channels")
app.add_typer(settings.schedules, name="schedules")
app.command("providers")(settings.providers)


@app.command("version")
def version(as_json: JsonOption = False) -> None:
    """Print the version."""
    if as_json:
        print_json({"version": __version__})
    else:
        console.print(__version__)


def run(args: Annotated[list[str] | None, "for tests; the process's own if none"] = None) -> None:
    """The entry point. Always ends the process with a documented status."""
    sys.exit(exit_status(args))


def exit_status(args: list[str] | None = None) -> int:
    """Run one command; what went wrong is said on standard error, in one place."""
    try:
        app(args)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.SUCCEEDED
    except NotReached as error:
        _say(str(error))
        return ExitCode.NOT_REACHED
    except ApiProblem as error:
        return _say_problem(error)
    except TrainbellError as error:
        _say(str(error))
        return ExitCode.NOT_REACHED
    return ExitCode.SUCCEEDED


def _say(text: str) -> None:
    errors.print(f"trainbell: {text}", style="red", markup=False, soft_wrap=True)


def _say_problem(problem: ApiProblem) -> int:
    _say(str(problem))
    for each in problem.errors:
        line = f"  {each.get('path')}: {each.get('message')}"
        errors.print(line, markup=False, soft_wrap=True)
    if problem.status in (400, 413, 422):
        return ExitCode.BAD_INPUT
    return ExitCode.NOT_REACHED if problem.status >= 500 else ExitCode.REFUSED
