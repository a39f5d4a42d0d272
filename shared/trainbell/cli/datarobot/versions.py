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
    fields,
    show,
    show_list,
)
from trainbell.cli.datarobot.direct import DirectOption, direct, save
from trainbell.cli.datarobot.files import (
    FileOption,
    FolderOption,
    are_large,
    encoded,
    files_for,
    save_content,
    sent_directly,
)
from trainbell.cli.datarobot.handing import fetch, hands_over, send
from trainbell.cli.options import JsonOption, UrlOption

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
        found = datarobot.every("list_versions", customModelId=model, mainBranchCommitSha=commit)
    show_list(found, as_json, "id", "label", "created", "isFrozen", "description")


@app.command("create")
def create(
    model: ModelArgument,
    folder: FolderOption = None,
    file: FileOption = None,
    from_latest: Annotated[
        bool, typer.Option("--from-latest", help="Begin with the latest version's files.")
    ] = False,
    without: Annotated[
        list[str] | None, typer.Option(help="The id of a file to leave out; with --from-latest.")
    ] = None,
    field: FieldOption = None,
    directly: DirectOption = False,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a version from files; further fields with --field, such as isMajorUpdate=true."""
    if without and not from_latest:
        raise typer.BadParameter("goes with --from-latest", param_hint="--without")
    files = files_for(folder, file)
    wanted = {"version": fields(field), **({"filesToDelete": without} if without else {})}
    call = "create_version_from_latest" if from_latest else "create_version"
    with account(url, connection) as datarobot:
        if directly:
            made = sent_directly(datarobot, call, model, wanted, files)
        elif are_large(files) and hands_over(datarobot):
            made = send(datarobot, call, {"customModelId": model, **wanted}, files)
        else:
            made = datarobot.call(call, customModelId=model, **wanted, files=encoded(files))
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
        found = datarobot.call("get_version", customModelId=model, customModelVersionId=version)
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
    ids = {"customModelId": model, "customModelVersionId": version}
    with account(url, connection) as datarobot:
        changed = datarobot.call("update_version", **ids, changes=fields(field))
    show(changed, as_json, *_FACTS)


@app.command("download")
def download(
    model: ModelArgument,
    version: VersionArgument,
    to: Annotated[Path, typer.Option(dir_okay=False, help="The zip to write.")],
    install_script: Annotated[
        bool, typer.Option(help="With the script that installs its dependencies.")
    ] = False,
    directly: DirectOption = False,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Download the files of a version."""
    ids = {"customModelId": model, "customModelVersionId": version}
    with account(url, connection) as datarobot:
        if not directly and hands_over(datarobot):
            fetch(datarobot, "download_version", to, as_json, **ids, pps=install_script)
            return
        if not directly:
            found = datarobot.call("download_version", **ids, pps=install_script)
            save_content(to, found, as_json)
            return
        with direct(datarobot) as client:
            save(
                to,
                lambda write: client.versions.download(
                    model, version, write, install_script=install_script
                ),
                as_json,
            )
