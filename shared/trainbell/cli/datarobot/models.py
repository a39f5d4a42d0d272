"""`trainbell datarobot models` and `limits`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from trainbell.cli.datarobot.account import (
    ConnectionOption,
    FieldOption,
    ModelArgument,
    account,
    fields,
    say,
    show,
    show_list,
)
from trainbell.cli.datarobot.direct import DirectOption, direct, save
from trainbell.cli.datarobot.files import save_content
from trainbell.cli.datarobot.handing import fetch, hands_over
from trainbell.cli.options import JsonOption, UrlOption

app = typer.Typer(no_args_is_help=True, help="Custom models.")
Order = Literal["created", "-created", "updated", "-updated"]
_FACTS = (
    "id",
    "name",
    "customModelType",
    "targetType",
    "description",
    "deploymentsCount",
    "created",
    "updated",
    "trainingDatasetId",
)


@app.command("list")
def list_models(
    order: Annotated[Order | None, typer.Option(help="Newest first if none.")] = None,
    search: Annotated[
        str | None, typer.Option(help="In name, description and language, in any case.")
    ] = None,
    kind: Annotated[
        Literal["training", "inference"] | None, typer.Option("--type", help="Only these.")
    ] = None,
    deployed: Annotated[
        bool | None, typer.Option("--deployed/--not-deployed", help="Only these.")
    ] = None,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the models of the account."""
    with account(url, connection) as datarobot:
        found = datarobot.every(
            "list_models",
            orderBy=order,
            searchFor=search,
            customModelType=kind,
            isDeployed=deployed,
        )
    show_list(found, as_json, "id", "name", "customModelType", "targetType", "updated")


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    kind: Annotated[
        Literal["training", "inference"], typer.Option("--type", help="What it is for.")
    ] = "inference",
    field: FieldOption = None,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a model; further fields with --field, such as targetType=Binary."""
    new = fields(field, name=name, customModelType=kind)
    with account(url, connection) as datarobot:
        made = datarobot.call("create_model", **new)
    show(made, as_json, *_FACTS)


@app.command("copy")
def copy(
    model: ModelArgument,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy a model with its versions and files."""
    with account(url, connection) as datarobot:
        made = datarobot.call("copy_model", customModelId=model)
    show(made, as_json, *_FACTS)


@app.command("show")
def show_model(
    model: ModelArgument,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one model."""
    with account(url, connection) as datarobot:
        found = datarobot.call("get_model", customModelId=model)
    show(found, as_json, *_FACTS)


@app.command("update")
def update(
    model: ModelArgument,
    field: FieldOption = None,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change fields of a model."""
    with account(url, connection) as datarobot:
        changed = datarobot.call("update_model", customModelId=model, changes=fields(field))
    show(changed, as_json, *_FACTS)


@app.command("delete")
def delete(
    model: ModelArgument,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete a model that is neither deployed nor being tested."""
    with account(url, connection) as datarobot:
        datarobot.call("delete_model", customModelId=model)
    say({"id": model, "deleted": True}, as_json)


@app.command("download")
def download(
    model: ModelArgument,
    to: Annotated[Path, typer.Option(dir_okay=False, help="The zip to write.")],
    install_script: Annotated[
        bool, typer.Option(help="With the script that installs its dependencies.")
    ] = False,
    directly: DirectOption = False,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Download the files of a model's latest version."""
    with account(url, connection) as datarobot:
        if not directly and hands_over(datarobot):
            asked = {"customModelId": model, "pps": install_script}
            fetch(datarobot, "download_model", to, as_json, **asked)
            return
        if not directly:
            found = datarobot.call("download_model", customModelId=model, pps=install_script)
            save_content(to, found, as_json)
            return
        with direct(datarobot) as client:
            models = client.models
            save(
                to,
                lambda write: models.download(model, write, install_script=install_script),
                as_json,
            )


def limits(
    connection: ConnectionOption = None, url: UrlOption = None, as_json: JsonOption = False
) -> None:
    """Show how large and how many this account's models may be."""
    with account(url, connection) as datarobot:
        found = datarobot.call("limits")
    say(found, as_json)
