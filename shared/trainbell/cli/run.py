"""`trainbell run -- python train.py`: a command of this machine, as the shell here understands it.

What the first word means, the directory and the environment are settled here, where a person sees
them, and not where Trainbell happens to have been started.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.jobs import wait_and_exit
from trainbell.cli.looking import print_job
from trainbell.cli.options import JsonOption, TagOption, UrlOption, pairs
from trainbell.cli.order_options import given_only
from trainbell.cli.output import errors
from trainbell.cli.quantities import deadline_of
from trainbell.cli.watched import Watched
from trainbell.client import JsonObject
from trainbell.embedded.data_dir import default_data_dir

GPU_SECONDS = (5.0, 60.0)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def run(
    command: Annotated[
        list[str], typer.Argument(metavar="-- PROGRAM [ARGUMENT]...", help="After two dashes.")
    ],
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Pass this variable too, or NAME=VALUE; repeatable."),
    ] = None,
    gpus: Annotated[
        int, typer.Option(min=0, max=64, help="So many free GPUs, for this job alone.")
    ] = 0,
    cwd: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Where to run; here if none.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Unique in the project.")] = None,
    project: Annotated[str | None, typer.Option(help="The owner; `default` if none.")] = None,
    connection: Annotated[str | None, typer.Option(help="Settings of this machine, if any.")] = (
        None
    ),
    dataset: Annotated[str | None, typer.Option(help="What it is trained on.")] = None,
    model: Annotated[str | None, typer.Option(help="What it makes a version of.")] = None,
    tag: TagOption = None,
    deadline: Annotated[
        str | None, typer.Option(help="2h30m from its request, or a time with zone.")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not stay until its end.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a command on this machine as a job. Ctrl-C only stops the looking, never the job."""
    place = (cwd or Path.cwd()).absolute()
    program = _program(command[0], place)
    named = _named(env or (), os.environ)
    body = given_only(
        provider="local",
        connection=connection,
        kind="train",
        project=project,
        name=name,
        parameters=_parameters([program, *command[1:]], place, named, gpus),
        dataset=dataset,
        model=model,
        tags=pairs(tag, "--tag") or None,
        **deadline_of(deadline),
        when_busy="wait" if gpus else None,
        # Nobody tells when a GPU has become free.
        min_interval_seconds=GPU_SECONDS[0] if gpus else None,
        max_interval_seconds=GPU_SECONDS[1] if gpus else None,
    )
    if not as_json:
        _say_what_is_passed(body["parameters"], named)
    if detach:
        with find_trainbell(url) as client:
            print_job(client.start(body), as_json)
        return
    with Watched(url) as watched:
        wait_and_exit(watched, watched.client.start(body), as_json)


def _program(word: str, place: Path) -> str:
    from trainbell.providers.local.command_environment import program_for

    # Never resolved further: a virtual environment's python is a link, and knows itself by it.
    program = program_for(word, path=os.environ.get("PATH") or os.defpath, cwd=place)
    if program is None:
        message = f"there is no program '{word}' that can be executed here"
        raise typer.BadParameter(message, param_hint="PROGRAM")
    return program


def _named(given: Sequence[str], own: Mapping[str, str]) -> dict[str, str]:
    """The variables of `--env`, all problems of which are said at once."""
    found: dict[str, str] = {}
    problems = []
    for each in given:
        variable, separator, value = each.partition("=")
        if not _VARIABLE.fullmatch(variable):
            problems.append(f"'{variable}' is no name of a variable")
        elif variable.startswith("TRAINBELL_"):
            problems.append(f"{variable} is Trainbell's own")
        elif not separator and variable not in own:
            problems.append(f"{variable} is not set here")
        else:
            found[variable] = value if separator else own[variable]
    if problems:
        raise typer.BadParameter("; ".join(problems), param_hint="--env")
    return found


def _parameters(command: list[str], place: Path, named: Mapping[str, str], gpus: int) -> JsonObject:
    """Harmless variables stand in the job's record; the named ones may be secrets, so they are
    left in a private file beside the runs, and the record has that file's name."""
    from trainbell.providers.local.command_environment import passing
    from trainbell.providers.local.passed_variables import pass_on

    return given_only(
        command=command,
        cwd=str(place),
        env={name: value for name, value in passing(os.environ).items() if name not in named},
        inherit=False,
        passed=pass_on(default_data_dir() / "local", named) if named else None,
        gpus=gpus or None,
    )


def _say_what_is_passed(parameters: JsonObject, named: Mapping[str, str]) -> None:
    lines = [
        f"runs {' '.join(parameters['command'])}",
        f"in {parameters['cwd']}",
        f"passes {' '.join(sorted(parameters['env']))}",
    ]
    if named:
        lines.append(f"and by --env {' '.join(sorted(named))}")
    for line in lines:
        errors.print(line, style="dim", markup=False, soft_wrap=True)
