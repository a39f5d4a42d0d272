"""`trainbell datarobot access`."""

from __future__ import annotations

from typing import Annotated

import typer

from trainbell.cli.datarobot.account import (
    ConnectionOption,
    ModelArgument,
    account,
    say,
    show_list,
)
from trainbell.cli.options import JsonOption, UrlOption, pairs

app = typer.Typer(no_args_is_help=True, help="Who may do what with a model.")


@app.command("list")
def list_roles(
    model: ModelArgument,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List who has which role on a model."""
    with account(url, connection) as datarobot:
        found = datarobot.every("list_roles", customModelId=model)
    show_list(found, as_json, "username", "role", "canShare")


@app.command("set")
def set_roles(
    model: ModelArgument,
    role: Annotated[
        list[str],
        typer.Option(
            metavar="USER=ROLE", help="Such as ann@example.com=EDITOR; none takes it away."
        ),
    ],
    can_share: Annotated[
        bool, typer.Option("--can-share", help="They may share the model in turn.")
    ] = False,
    connection: ConnectionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set up to 100 roles at once. A model is never left without an owner."""
    wishes = pairs(role, "--role")
    roles = [
        {
            "username": user,
            "role": None if word.lower() == "none" else word.upper(),
            **({"canShare": True} if can_share else {}),
        }
        for user, word in wishes.items()
    ]
    with account(url, connection) as datarobot:
        datarobot.call("set_roles", customModelId=model, roles=roles)
    say({"model": model, "roles": wishes}, as_json)
