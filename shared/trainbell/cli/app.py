"""Puts the commands together and turns every failure into one clear message and an exit status."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from trainbell.cli import about, datarobot, jobs, looking, new_plugin, settings, simulate, up
from trainbell.cli.exit_codes import MEANINGS, ExitCode
from trainbell.cli.output import errors
from trainbell.client import ApiProblem, NotReached
from trainbell.errors import ConfigInvalid, TrainbellError

# What Typer raises for wrong options; it exports no more than this leaf of it.
COMMAND_ERROR = typer.BadParameter.__mro__[2]

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
app.add_typer(datarobot.app, name="datarobot", rich_help_panel=SETTINGS)
app.command("up", rich_help_panel=MACHINE)(up.up)
app.command("status", rich_help_panel=MACHINE)(about.status)
app.command("simulate", rich_help_panel=MACHINE)(simulate.simulate)
app.command("new-provider", rich_help_panel=MACHINE)(new_plugin.new_provider)
app.command("new-channel", rich_help_panel=MACHINE)(new_plugin.new_channel)
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
        case NotReached() | TrainbellError():
            _say(str(error))
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


def _say_usage(error: BaseException) -> int:
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


def _say_fault(error: BaseException) -> int:
    if os.environ.get("TRAINBELL_DEBUG"):
        traceback.print_exception(error)
    _say(f"a fault of Trainbell itself: {type(error).__name__}; TRAINBELL_DEBUG=1 shows where")
    return ExitCode.INTERNAL
