"""`trainbell datarobot versions`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainbell.cli.datarobot.account import (
    ConnectionOption,
    FieldOption,
    ModelArgument,
    account,
    checked,
    save,
    show,
    show_list,
)
from trainbell.cli.options import JsonOption, UrlOption
from trainbell.providers.datarobot.resources.fields import NewVersion, VersionChanges
from trainbell.providers.datarobot.resources.versions import VersionContents, files_below

app = typer.Typer(no_args_is_help=True, help="Versions of a model: its files.")
VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="The version's id.")]
_FACTS = ("id", "label", "description", "created", "isFrozen", "items", "trainingData")


@app.command("list")
def list_versions(
    model: ModelArgument,
    commit: Annotated[str | None, typer.Option(help="Only of this commit (SHA-1).")] = None,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the versions of a model."""
    with account(url, connection) as datarobot:
        found = datarobot.versions.list(model, commit).items
    show_list(found, as_json, "id", "label", "created", "isFrozen", "description")


@app.command("create")
def create(
    model: ModelArgument,
    folder: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="All files below it, with their paths."),
    ] = None,
    file: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="A file; repeatable.")
    ] = None,
    from_latest: Annotated[
        bool, typer.Option("--from-latest", help="Begin with the latest version's files.")
    ] = False,
    without: Annotated[
        list[str] | None, typer.Option(help="The id of a file to leave out; with --from-latest.")
    ] = None,
    field: FieldOption = None,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a version from files; further fields with --field, such as isMajorUpdate=true."""
    if without and not from_latest:
        raise typer.BadParameter("goes with --from-latest", param_hint="--without")
    fields = checked(NewVersion, field)
    with account(url, connection) as datarobot:
        files = [*(files_below(folder) if folder else ()), *((f, f.name) for f in file or ())]
        contents = VersionContents(fields=fields, files=files, delete=without or ())
        send = datarobot.versions.create_from_latest if from_latest else datarobot.versions.create
        made = send(model, contents)
    show(made, as_json, *_FACTS)


@app.command("show")
def show_version(
    model: ModelArgument,
    version: VersionArgument,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one version with its files."""
    with account(url, connection) as datarobot:
        found = datarobot.versions.get(model, version)
    show(found, as_json, *_FACTS)


@app.command("update")
def update(
    model: ModelArgument,
    version: VersionArgument,
    field: FieldOption = None,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change the description or the metadata of a version."""
    changes = checked(VersionChanges, field)
    with account(url, connection) as datarobot:
        changed = datarobot.versions.update(model, version, changes)
    show(changed, as_json, *_FACTS)


@app.command("download")
def download(
    model: ModelArgument,
    version: VersionArgument,
    to: Annotated[Path, typer.Option(dir_okay=False, help="The zip to write.")],
    install_script: Annotated[
        bool, typer.Option(help="With the script that installs its dependencies.")
    ] = False,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Download the files of a version."""
    with account(url, connection) as datarobot:
        save(
            to,
            lambda write: datarobot.versions.download(
                model, version, write, install_script=install_script
            ),
            as_json,
        )
