"""`trainbell connections | channels | schedules | providers`: what is set up, and what there is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.options import JsonOption, UrlOption, pairs, values
from trainbell.cli.output import clock_time, console, print_json, rows_table
from trainbell.client import JsonObject

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]
OptionOption = Annotated[
    list[str] | None, typer.Option("--option", metavar="KEY=VALUE", help="The kind's own setting.")
]

connections = typer.Typer(no_args_is_help=True, help="Accounts at training services.")
channels = typer.Typer(no_args_is_help=True, help="Where to tell what happened.")
schedules = typer.Typer(no_args_is_help=True, help="Jobs that start by the clock.")

_COLUMNS = {
    "connections": ("name", "provider", "base_url", "secret", "calls_per_minute", "max_active"),
    "channels": ("name", "kind", "target", "secret", "events", "project"),
    "schedules": ("name", "expression", "time_zone", "enabled", "next_due_at", "last_error"),
}


def _body(**fields: Any) -> JsonObject:
    return {key: value for key, value in fields.items() if value is not None}


def _add_common(app: typer.Typer, kind: str) -> None:
    """`list`, `show`, `delete` and `test`, the same for all three."""

    @app.command("list")
    def list_all(url: UrlOption = None, as_json: JsonOption = False) -> None:
        """List them by name."""
        with find_trainbell(url) as client:
            items = list(client.all_of(f"/v1/{kind}"))
        if as_json:
            print_json({"items": items})
        elif not items:
            console.print(f"no {kind}", style="dim")
        else:
            columns = _COLUMNS[kind]
            rows = ([_cell(column, item.get(column)) for column in columns] for item in items)
            console.print(rows_table([each.replace("_", " ") for each in columns], rows))

    @app.command("show")
    def show(name: NameArgument, url: UrlOption = None) -> None:
        """Print one as JSON."""
        with find_trainbell(url) as client:
            print_json(client.get(kind, name))

    @app.command("delete")
    def delete(name: NameArgument, url: UrlOption = None) -> None:
        """Delete one."""
        with find_trainbell(url) as client:
            client.delete(kind, name)


def _add_test(app: typer.Typer, kind: str, what: str) -> None:
    @app.command("test", help=what)
    def test(name: NameArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
        with find_trainbell(url) as client:
            answer = client.test(kind, name)
        if as_json:
            print_json(answer)
        else:
            console.print(answer.get("message", "ok"))


def _cell(column: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return clock_time(value) if column.endswith("_at") else str(value if value is not None else "")


def _saved(answer: JsonObject, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        console.print(f"{answer['name']} saved")


@connections.command("put")
def put_connection(
    name: NameArgument,
    provider: Annotated[str, typer.Option(help="See `trainbell providers`.")],
    base_url: Annotated[str | None, typer.Option(help="Where the service is.")] = None,
    secret: Annotated[
        str | None, typer.Option(help="A reference: env:NAME, file:/path; never the secret itself.")
    ] = None,
    calls_per_minute: Annotated[float | None, typer.Option(help="Rate budget.")] = None,
    max_active: Annotated[int | None, typer.Option(help="Jobs at once.")] = None,
    option: OptionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create or replace a connection."""
    body = _body(
        provider=provider,
        base_url=base_url,
        secret=secret,
        calls_per_minute=calls_per_minute,
        max_active=max_active,
        options=values(option or [], "--option") or None,
    )
    with find_trainbell(url) as client:
        _saved(client.put("connections", name, body), as_json)


@channels.command("put")
def put_channel(
    name: NameArgument,
    kind: Annotated[str, typer.Option(help="slack, sns, eventbridge")],
    target: Annotated[str | None, typer.Option(help="A topic or bus.")] = None,
    secret: Annotated[str | None, typer.Option(help="A reference to the webhook's URL.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Which events; ends if none.")] = None,
    project: Annotated[str | None, typer.Option(help="Only this project.")] = None,
    option: OptionOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create or replace a channel."""
    body = _body(
        kind=kind,
        target=target,
        secret=secret,
        events=event or None,
        project=project,
        options=values(option or [], "--option") or None,
    )
    with find_trainbell(url) as client:
        _saved(client.put("channels", name, body), as_json)


@schedules.command("put")
def put_schedule(
    name: NameArgument,
    expression: Annotated[str, typer.Option(help="cron(0 9 * * 1-5) or rate(6 hours)")],
    provider: Annotated[str, typer.Option(help="See `trainbell providers`.")],
    param: Annotated[list[str] | None, typer.Option("--param", "-p", metavar="KEY=VALUE")] = None,
    connection: Annotated[str | None, typer.Option()] = None,
    kind: Annotated[str | None, typer.Option()] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE")] = None,
    time_zone: Annotated[str, typer.Option(help="Such as Europe/Berlin.")] = "UTC",
    enabled: Annotated[bool, typer.Option()] = True,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create or replace a schedule."""
    job = _body(
        provider=provider,
        connection=connection,
        kind=kind,
        parameters=values(param or [], "--param"),
        tags=pairs(tag or [], "--tag") or None,
    )
    body = {"expression": expression, "time_zone": time_zone, "enabled": enabled, "job": job}
    with find_trainbell(url) as client:
        _saved(client.put("schedules", name, body), as_json)


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
        (each["name"], each["title"], ", ".join(_kinds(each)), each["service"]["state"], _can(each))
        for each in items
    )
    console.print(rows_table(("name", "service", "kinds", "is", "can"), rows))


def _kinds(provider: JsonObject) -> list[str]:
    return [each["name"] if isinstance(each, dict) else str(each) for each in provider["kinds"]]


def _can(provider: JsonObject) -> str:
    abilities = provider.get("abilities", {})
    return ", ".join(name for name, has in abilities.items() if has is True)


for _app, _kind in ((connections, "connections"), (channels, "channels"), (schedules, "schedules")):
    _add_common(_app, _kind)
_add_test(connections, "connections", "Try a connection for real, without changing anything.")
_add_test(channels, "channels", "Send a real test message.")
