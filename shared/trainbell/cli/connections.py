"""`trainbell connections`: accounts at training services."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated

import typer

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.options import JsonOption, UrlOption, values
from trainbell.cli.order_options import given_only
from trainbell.cli.quantities import number
from trainbell.cli.settings import NameArgument, add_test, say_saved, settings_app
from trainbell.client import JsonObject, Trainbell

connections = settings_app(
    "connections",
    ("name", "provider", "base_url", "secret", "calls_per_minute", "max_active"),
    "Accounts at training services.",
)


@connections.command("put")
def put_connection(
    name: NameArgument,
    provider: Annotated[str, typer.Option(help="See `trainbell providers`.")],
    base_url: Annotated[str | None, typer.Option(help="Where the service is.")] = None,
    secret: Annotated[
        str | None, typer.Option(help="A reference: file:/path, env:NAME; never the secret itself.")
    ] = None,
    calls_per_minute: Annotated[
        float | None, typer.Option(parser=number, help="Rate budget.")
    ] = None,
    max_active: Annotated[int | None, typer.Option(help="Jobs at once.")] = None,
    settle_seconds: Annotated[
        float | None,
        typer.Option(parser=number, help="How long a start may take to appear at the service."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            metavar="KEY=VALUE",
            help="The provider's own setting; repeat the key of one that is a list.",
        ),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create or replace a connection."""
    with find_trainbell(url) as client:
        body = given_only(
            provider=provider,
            base_url=base_url,
            secret=secret,
            calls_per_minute=calls_per_minute,
            max_active=max_active,
            settle_seconds=settle_seconds,
            options=_options(client, provider, option),
        )
        say_saved(client.put("connections", name, body), as_json)


def _options(client: Trainbell, provider: str, given: Sequence[str] | None) -> JsonObject | None:
    """The provider says which of its settings are lists."""
    if not given:
        return None
    return values(given, "--option", lists=_lists(client.get("providers", provider)["options"]))


def _lists(schema: JsonObject | None) -> Collection[str]:
    members = (schema or {}).get("properties", {})
    return {name for name, member in members.items() if member.get("type") == "array"}


add_test(connections, "connections", "Try a connection for real, without changing anything.")
