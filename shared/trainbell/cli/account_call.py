"""`trainbell call`: what a connection's service can be asked beside its jobs."""

from __future__ import annotations

from typing import Annotated

import typer

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.options import JsonOption, UrlOption, values
from trainbell.cli.output import console, print_json, rows_table
from trainbell.client import Trainbell


def call(
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", help="Its name.")],
    name: Annotated[
        str | None, typer.Argument(metavar="CALL", help="What to ask; without one, what there is.")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option("--field", "-f", metavar="KEY=VALUE", help="A parameter; JSON is JSON."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every page of a list, not only the first.")
    ] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a service what is there beside its jobs, or tell it what is to go."""
    with find_trainbell(url) as trainbell:
        if name is None:
            _list(trainbell, connection, as_json)
        elif every:
            given = values(field, "--field")
            print_json({"items": list(trainbell.all_at_service(connection, name, **given))})
        else:
            print_json(trainbell.at_service(connection, name, **values(field, "--field")))


def _list(trainbell: Trainbell, connection: str, as_json: bool) -> None:
    provider = trainbell.get("connections", connection)["provider"]
    calls = trainbell.get("providers", provider)["calls"]
    if as_json:
        print_json({"items": calls})
    elif not calls:
        console.print(f"{provider} has none", style="dim")
    else:
        rows = (
            [each["name"], each["title"], ", ".join(each["parameters"].get("properties", {}))]
            for each in calls
        )
        console.print(rows_table(("call", "what", "parameters"), rows))
