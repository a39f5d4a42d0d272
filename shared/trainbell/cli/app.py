"""Puts the commands together and turns every failure into one clear message and an exit status."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from trainbell.cli import about, jobs, looking, settings, simulate, up
from trainbell.cli.exit_codes import MEANINGS, ExitCode
from trainbell.cli.output import errors
from trainbell.client import ApiProblem, NotReached
from trainbell.errors import ConfigInvalid, TrainbellError

# Typer exports only the leaf of what it raises for wrong options.
UsageError, CommandError = typer.BadParameter.__mro__[1:3]

EPILOG = (
    "Exit status: " + "; ".join(f"{code.value} {text}" for code, text in MEANINGS.items()) + "."
)
JOBS, SETTINGS, MACHINE = "Jobs", "What is set up", "This machine"

app = typer.Typer(
    name="trainbell",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog=EPILOG,
    help="Start model training on any training service, watch it to its true end, and be told.",
)

app.command("start", rich_help_panel=JOBS)(jobs.start)
app.command("wait", rich_help_panel=JOBS)(jobs.wait)
app.command("jobs", rich_help_panel=JOBS)(looking.jobs)
app.command("show", rich_help_panel=JOBS)(looking.show)
app.command("logs", rich_help_panel=JOBS)(looking.logs)
app.command("events", rich_help_panel=JOBS)(looking.events)
app.command("cancel", rich_help_panel=JOBS)(jobs.cancel)
app.command("retry", rich_help_panel=JOBS)(jobs.retry)
app.command("forget", rich_help_panel=JOBS)(jobs.forget)
app.add_typer(settings.connections, name="connections", rich_help_panel=SETTINGS)
app.add_typer(settings.channels, name="channels", rich_help_panel=SETTINGS)
app.add_typer(settings.schedules, name="schedules", rich_help_panel=SETTINGS)
app.command("providers", rich_help_panel=SETTINGS)(about.providers)
app.command("up", rich_help_panel=MACHINE)(up.up)
app.command("status", rich_help_panel=MACHINE)(about.status)
app.command("simulate", rich_help_panel=MACHINE)(simulate.simulate)
app.command("version", rich_help_panel=MACHINE)(about.version)


def run() -> None:
    """The entry point. Always ends the process with a documented status."""
    sys.exit(exit_status(sys.argv[1:]))


def exit_status(args: list[str]) -> int:
    """Run one command; what went wrong is said on standard error, in one place."""
    try:
        return _code(app(args, prog_name="trainbell", standalone_mode=False))
    except SystemExit as end:  # Shell completion ends so.
        return _code(end.code)
    except (KeyboardInterrupt, typer.Abort):
        _say("interrupted")
        return ExitCode.DETACHED
    except ApiProblem as problem:
        return _say_problem(problem)
    except NotReached as error:
        _say(str(error))
        return ExitCode.NOT_REACHED
    except TrainbellError as error:
        _say(str(error))
        return ExitCode.BAD_INPUT if isinstance(error, ConfigInvalid) else ExitCode.NOT_REACHED
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain once more at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.SUCCEEDED
    except CommandError as error:
        return _say_usage(error)
    except Exception as error:  # noqa: BLE001 - a person gets one line, whatever it was
        return _say_fault(error)


def _code(result: object) -> int:
    return int(result) if isinstance(result, int) else ExitCode.SUCCEEDED


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


def _say_usage(error: Exception) -> int:
    """Wrong options in one line; no arguments at all are a question for help."""
    context = getattr(error, "ctx", None)
    said = str(getattr(error, "format_message", error.__str__)()).strip()
    if context is None:
        _say(said)
    elif type(error).__name__ == "NoArgsIsHelpError":
        context.get_help()
    else:
        _say(f"{said.rstrip('.')}; see `{context.command_path} --help`")
    return ExitCode.BAD_INPUT


def _say_fault(error: Exception) -> int:
    if os.environ.get("TRAINBELL_DEBUG"):
        traceback.print_exc()
    _say(f"a fault of Trainbell itself: {type(error).__name__}; TRAINBELL_DEBUG=1 shows where")
    return ExitCode.INTERNAL
