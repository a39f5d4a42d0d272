"""Runs one command, and turns every failure into one clear message and an exit status."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated

import typer

from trainbell.cli.command_table import CommandTable
from trainbell.cli.exit_codes import MEANINGS, ExitCode
from trainbell.cli.extra import MISSING, NEEDED
from trainbell.cli.output import errors
from trainbell.client import ApiProblem, NotReached
from trainbell.errors import ConfigInvalid, InputInvalid, TrainbellError
from trainbell.plain_text import harmless
from trainbell.version import __version__

# What Typer raises for wrong options; it exports no more than this leaf of it.
COMMAND_ERROR = typer.BadParameter.__mro__[2]

EPILOG = (
    "Exit status: " + "; ".join(f"{code.value} {text}" for code, text in MEANINGS.items()) + "."
)

app = typer.Typer(
    name="trainbell",
    cls=CommandTable,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"{__version__}\n")
        raise typer.Exit


@app.callback()
def trainbell(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Start model training on any training service, watch it to its true end, and be told."""


def run_command(args: list[str]) -> int:
    """The exit status. What went wrong is said on standard error, in one place."""
    try:
        return _code(app(args, prog_name="trainbell", standalone_mode=False))
    except SystemExit as end:  # Shell completion ends so.
        return _code(end.code)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - a person gets one line
        return _say_why(error)


def _say_why(error: BaseException) -> int:
    code: int = ExitCode.NOT_REACHED
    match error:
        case KeyboardInterrupt() | typer.Abort():
            _say("interrupted")
            code = ExitCode.DETACHED
        case ApiProblem():
            code = _say_problem(error)
        case ConfigInvalid():
            _say(str(error))
            code = ExitCode.BAD_INPUT
        case InputInvalid():
            _say_several(error)
            code = ExitCode.BAD_INPUT
        case NotReached() | TrainbellError():
            _say(str(error))
        case ModuleNotFoundError() if error.name in NEEDED:
            _say(MISSING.format(error.name))
            code = ExitCode.BAD_INPUT
        case BrokenPipeError():
            # Who read our output has seen enough. Python would complain again when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = ExitCode.SUCCEEDED
        case _ if isinstance(error, COMMAND_ERROR):
            code = _say_usage(error)
        case _:
            code = _say_fault(error)
    return code


def _code(result: object) -> int:
    return int(result) if isinstance(result, int) else ExitCode.SUCCEEDED


def _say(text: str) -> None:
    errors.print(f"trainbell: {text}", style="red", markup=False, soft_wrap=True)


def _say_problem(problem: ApiProblem) -> int:
    several = problem.errors if len(problem.errors) > 1 else []
    _say(problem.title if several else str(problem))
    for each in several:
        errors.print(f"  {each['path']}: {each['message']}", markup=False, soft_wrap=True)
    if problem.status in (400, 413, 422):
        return ExitCode.BAD_INPUT
    return ExitCode.NOT_REACHED if problem.status >= 500 else ExitCode.REFUSED


def _say_several(error: InputInvalid) -> None:
    if len(error.problems) == 1:
        _say(error.problems[0].message)
        return
    _say("nothing was done")
    for each in error.problems:
        errors.print(f"  {each.path}: {each.message}", markup=False, soft_wrap=True)


def _say_usage(error: BaseException) -> int:
    """Wrong options in one line. No arguments at all are a question for help, which Typer has
    answered by then."""
    context = getattr(error, "ctx", None)
    said = str(getattr(error, "format_message", error.__str__)()).strip()
    if context is None:
        _say(said)
    elif type(error).__name__ != "NoArgsIsHelpError":
        _say(f"{said.rstrip('.')}; see `{context.command_path} --help`")
    return ExitCode.BAD_INPUT


def _say_fault(error: BaseException) -> int:
    if os.environ.get("TRAINBELL_DEBUG"):
        sys.stderr.write(harmless("".join(traceback.format_exception(error))))
    _say(f"a fault of Trainbell itself: {type(error).__name__}; TRAINBELL_DEBUG=1 shows where")
    return ExitCode.INTERNAL
