"""`trainbell status | providers | version`: what there is, and how it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.options import JsonOption, UrlOption
from trainbell.cli.output import clock_time, console, fact_page, print_json, rows_table
from trainbell.client import JsonObject
from trainbell.version import __version__


def status(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Say whether a Trainbell answers, which, and what it watches."""
    with find_trainbell(url) as client:
        health = client.call("GET", "/v1/health")
        caller = client.call("GET", "/v1/whoami")
    if as_json:
        print_json({"url": client.url, "by": caller["by"], **health})
        return
    active = ", ".join(f"{count} {state}" for state, count in health["active_jobs"].items())
    console.print(
        fact_page(
            (
                ("at", client.url),
                ("engine", health["engine"]),
                ("version", health["version"]),
                ("status", health["status"]),
                ("you are", caller["by"]),
                ("active jobs", active or "none"),
                ("moved", clock_time(health.get("departed_at"))),
                *_unreadable(health),
            )
        )
    )


def _unreadable(health: JsonObject) -> Iterator[tuple[str, str]]:
    """Nothing, where all can be read; an older server does not say."""
    counts = [f"{count} {kind}" for kind, count in health.get("unreadable", {}).items()]
    if counts:
        named = ", ".join(counts).replace("_", " ")
        yield "unreadable", f"{named}: kept and set aside; the server's log names them"


def version(as_json: JsonOption = False) -> None:
    """Print the version."""
    if as_json:
        print_json({"version": __version__})
    else:
        console.print(__version__)


def providers(
    name: Annotated[
        str | None, typer.Argument(help="One of them, as JSON with its parameters.")
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the training services, and what each can do."""
    with find_trainbell(url) as client:
        if name is not None:
            print_json(client.get("providers", name))
            return
        items = list(client.all_of("/v1/providers"))
    if as_json:
        print_json({"items": items})
        return
    rows = (
        (each["name"], each["title"], _kinds(each), each["service"]["state"], _can(each))
        for each in items
    )
    console.print(rows_table(("name", "service", "kinds", "is", "can"), rows))


def _kinds(provider: JsonObject) -> str:
    return ", ".join(each["name"] for each in provider["kinds"])


def _can(provider: JsonObject) -> str:
    abilities = provider["abilities"]
    return ", ".join(name for name in ("cancel", "logs", "progress") if abilities[name])
