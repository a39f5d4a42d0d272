"""Every command in one table, so that a command imports its own module and no other's.

`trainbell jobs` asks a server for a list: it must not wait for the engine's modules, nor for those
of a provider. The table says what `--help` shows; the module is imported when its command runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

JOBS, SETTINGS, CARE, MACHINE = "Jobs", "What is set up", "Care of the data", "This machine"


@dataclass(frozen=True, slots=True)
class Entry:
    """`target` is `module:function` or `module:typer` below `trainbell.cli`.

    `summary` is the first sentence of that command's own help; a test holds the two together.
    """

    name: str
    target: str
    panel: str
    summary: str


COMMANDS = (
    Entry("start", "jobs:start", JOBS, "Start a job."),
    Entry("run", "run:run", JOBS, "Run a command on this machine as a job."),
    Entry("wait", "jobs:wait", JOBS, "Stay until a job has ended; the exit status says how."),
    Entry("jobs", "looking:jobs", JOBS, "List jobs, newest first."),
    Entry("show", "looking:show", JOBS, "Show all that is known of one job."),
    Entry("logs", "looking:logs", JOBS, "Print the end of a job's log."),
    Entry(
        "in-full",
        "looking:in_full",
        JOBS,
        "Print what a service said at a job's end and the job cannot hold, as JSON.",
    ),
    Entry(
        "events",
        "looking:events",
        JOBS,
        "Print everything that happened to a job, and who was told.",
    ),
    Entry("cancel", "jobs:cancel", JOBS, "Ask for a cancel."),
    Entry("retry", "jobs:retry", JOBS, "Start a new job like an ended one, linked to it."),
    Entry(
        "resend",
        "jobs:resend",
        JOBS,
        "Answer that nothing of an unclear start is at the service, so that it is sent again.",
    ),
    Entry(
        "redeliver",
        "jobs:redeliver",
        JOBS,
        "Tell a job's events again: what was given up, or all of them to one channel.",
    ),
    Entry("forget", "jobs:forget", JOBS, "Forget an ended job, with its history."),
    Entry("connections", "connections:connections", SETTINGS, "Accounts at training services."),
    Entry("channels", "channels:channels", SETTINGS, "Where to tell what happened."),
    Entry(
        "secrets",
        "secrets:secrets",
        SETTINGS,
        "Where the secrets of this machine may go; their owner says it.",
    ),
    Entry("schedules", "schedules:schedules", SETTINGS, "Jobs that start by the clock."),
    Entry(
        "providers",
        "about:providers",
        SETTINGS,
        "List the training services, and what each can do.",
    ),
    Entry(
        "call",
        "account_call:call",
        SETTINGS,
        "Ask a service what is there beside its jobs, or tell it what is to go.",
    ),
    Entry("datarobot", "datarobot:app", SETTINGS, "Models and versions at DataRobot."),
    Entry(
        "export",
        "care:export",
        CARE,
        "Write everything that is stored into a file: no secrets, only where they are.",
    ),
    Entry("import", "care:import_", CARE, "Store all of an export, or nothing."),
    Entry(
        "backup",
        "backups:backup",
        CARE,
        "Copy this machine's database as it is now, while Trainbell runs or not.",
    ),
    Entry("restore", "backups:restore", CARE, "Put a backup in the database's place."),
    Entry(
        "retention",
        "retention:retention",
        CARE,
        "For how long a project's ended jobs are kept.",
    ),
    Entry(
        "forget-person",
        "retention:forget_person",
        CARE,
        "Put a pseudonym where a caller's id stands, in all jobs and events.",
    ),
    Entry("up", "up:up", MACHINE, "Run Trainbell on this machine until Ctrl-C or SIGTERM."),
    Entry(
        "status",
        "about:status",
        MACHINE,
        "Say whether a Trainbell answers, which, and what it watches.",
    ),
    Entry(
        "simulate",
        "simulate:simulate",
        MACHINE,
        "Serve simulated services until Ctrl-C; print each one's URL and how to connect to it.",
    ),
    Entry(
        "new-provider",
        "new_plugin:new_provider",
        MACHINE,
        "Make a project for a provider, with a test suite that says what is left to fill in.",
    ),
    Entry(
        "new-channel",
        "new_plugin:new_channel",
        MACHINE,
        "Make a project for a channel that posts to a webhook, with a test suite that it passes.",
    ),
    Entry("version", "about:version", MACHINE, "Print the version."),
)
_ENTRY_OF = {entry.name: entry for entry in COMMANDS}


class CommandTable(TyperGroup):
    """Lists its commands from the table, and imports the one that is run."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        for entry in COMMANDS:
            listed = TyperCommand(name=entry.name, help=entry.summary, rich_help_panel=entry.panel)
            self.add_command(listed)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        entry = _ENTRY_OF.get(name or "")
        return name, command if entry is None else load(entry), rest


def load(entry: Entry) -> Any:
    """The command itself."""
    module, _, attribute = entry.target.partition(":")
    found = getattr(import_module(f"trainbell.cli.{module}"), attribute)
    if not isinstance(found, typer.Typer):
        found, function = typer.Typer(add_completion=False), found
        found.command()(function)
    command = typer.main.get_command(found)
    command.name = entry.name
    return command
