"""`trainbell new-provider` and `new-channel`: a project of one's own for a further one."""

from __future__ import annotations

import keyword
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from trainbell.cli.output import console
from trainbell.clock import SystemClock
from trainbell.embedded.data_dir import default_data_dir
from trainbell.errors import ConfigInvalid
from trainbell.secret_sources import MachineSecrets

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
MAX_NAME = 30
PROVIDER_TEMPLATE = files("trainbell.cli") / "provider_template"
CHANNEL_TEMPLATE = files("trainbell.cli") / "channel_template"
SUFFIX = ".tmpl"
PACKAGE = "package"

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="Lower-case letters, digits and underscores.")
]
DirectoryOption = Annotated[
    Path | None, typer.Option(help="A new or empty one; trainbell-NAME if none.")
]


def new_provider(name: NameArgument, directory: DirectoryOption = None) -> None:
    """Make a project for a provider, with a test suite that says what is left to fill in."""
    from trainbell.providers.catalog import Catalog

    _check_name(name, "provider", lambda: Catalog(_secrets(), SystemClock()).names())
    place = _made(name, directory, PROVIDER_TEMPLATE)
    console.print(f"{place} is made; next: docs/writing-a-provider.md, and pytest", markup=False)


def new_channel(name: NameArgument, directory: DirectoryOption = None) -> None:
    """Make a project for a channel that posts to a webhook, with a test suite that it passes."""
    from trainbell.channels.catalog import FoundChannels

    _check_name(
        name,
        "channel",
        lambda: FoundChannels(_secrets(), SystemClock()).names(),
    )
    place = _made(name, directory, CHANNEL_TEMPLATE)
    console.print(f"{place} is made; next: docs/writing-a-channel.md, and pytest", markup=False)


def _made(name: str, directory: Path | None, template: Traversable) -> Path:
    place = directory or Path(f"trainbell-{name.replace('_', '-')}")
    make_project(name, place, template)
    return place


def make_project(name: str, directory: Path, template: Traversable) -> None:
    """All of it, or nothing. Raises ConfigInvalid where the directory cannot be used."""
    words = [word.capitalize() for word in name.split("_")]
    filled_in = {
        "name": name,
        "dashed": name.replace("_", "-"),
        "package": f"trainbell_{name}",
        "class_name": "".join(words),
        "title": " ".join(words),
    }
    with _explained(directory):
        if directory.is_symlink() or (directory.exists() and any(directory.iterdir())):
            raise ConfigInvalid(f"{directory} is there already; name a new or empty directory")
        unfinished = directory.absolute().with_name(f".{directory.absolute().name}.{os.getpid()}")
        unfinished.mkdir()
        try:
            _fill(template, unfinished, filled_in)
            unfinished.replace(directory)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


def _secrets() -> MachineSecrets:
    return MachineSecrets(default_data_dir())


def _check_name(name: str, noun: str, taken: Callable[[], Sequence[str]]) -> None:
    if not NAME.fullmatch(name) or len(name) > MAX_NAME or keyword.iskeyword(name):
        raise typer.BadParameter(
            f"'{name}' is no name such as acme_vision, of at most {MAX_NAME} characters",
            param_hint="NAME",
        )
    if name in taken():
        raise typer.BadParameter(f"there is a {noun} {name} already", param_hint="NAME")


def _fill(template: Traversable, directory: Path, words: dict[str, str]) -> None:
    for each in template.iterdir():
        if each.is_dir():
            below = directory / (words["package"] if each.name == PACKAGE else each.name)
            below.mkdir()
            _fill(each, below, words)
        elif each.name.endswith(SUFFIX):
            text = Template(each.read_text(encoding="utf-8")).substitute(words)
            (directory / each.name.removesuffix(SUFFIX)).write_text(text, encoding="utf-8")


@contextmanager
def _explained(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise ConfigInvalid(f"the directory {directory} cannot be made: {reason}") from exc
