"""`trainbell channels`: where to tell what happened."""

from __future__ import annotations

from typing import Annotated

import typer

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.options import JsonOption, UrlOption, values
from trainbell.cli.order_options import given_only
from trainbell.cli.output import console, print_json, rows_table
from trainbell.cli.settings import NameArgument, add_test, say_saved, settings_app

channels = settings_app(
    "channels",
    ("name", "kind", "target", "secret", "events", "project"),
    "Where to tell what happened.",
)


@channels.command("put")
def put_channel(
    name: NameArgument,
    kind: Annotated[str, typer.Option(help="See `trainbell channels kinds`.")],
    target: Annotated[str | None, typer.Option(help="A topic or bus.")] = None,
    secret: Annotated[str | None, typer.Option(help="A reference to the webhook's URL.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Which events; ends if none.")] = None,
    project: Annotated[str | None, typer.Option(help="Only this project.")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="KEY=VALUE", help="The kind's own setting."),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create or replace a channel."""
    body = given_only(
        kind=kind,
        target=target,
        secret=secret,
        events=event or None,
        project=project,
        options=values(option, "--option") or None,
    )
    with find_trainbell(url) as client:
        say_saved(client.put("channels", name, body), as_json)


@channels.command("kinds")
def channel_kinds(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the kinds of channel, and what each is set up with."""
    with find_trainbell(url) as client:
        items = list(client.all_of("/v1/channel-kinds"))
    if as_json:
        print_json({"items": items})
        return
    rows = (
        (
            each["name"],
            each["title"],
            ", ".join(word for word in ("target", "secret") if each[f"needs_{word}"]),
        )
        for each in items
    )
    console.print(rows_table(("kind", "tells", "needs"), rows))


add_test(channels, "channels", "Send a real test message.")
