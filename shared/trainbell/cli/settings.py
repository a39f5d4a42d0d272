"""`trainbell connections | channels | schedules`: what is set up."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.jobs import given_only, with_cwd
from trainbell.cli.options import (
    JsonOption,
    ParamOption,
    ParamsFileOption,
    TagOption,
    UrlOption,
    pairs,
    parameters,
    values,
)
from trainbell.cli.output import clock_time, console, fact_page, print_json, rows_table
from trainbell.client import JsonObject

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Its name.")]
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
    def show(name: NameArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
        """Show one with all its settings."""
        with find_trainbell(url) as client:
            found = client.get(kind, name)
        if as_json:
            print_json(found)
        else:
            console.print(
                fact_page((key.replace("_", " "), _cell(key, found[key])) for key in found)
            )

    @app.command("delete")
    def delete(name: NameArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
        """Delete one."""
        with find_trainbell(url) as client:
            client.delete(kind, name)
        if as_json:
            print_json({"name": name, "deleted": True})
        else:
            console.print(f"{name} deleted", markup=False)


def _add_test(app: typer.Typer, kind: str, what: str) -> None:
    @app.command("test", help=what)
    def test(name: NameArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
        with find_trainbell(url) as client:
            answer = client.test(kind, name)
        if as_json:
            print_json(answer)
        else:
            console.print(answer["message"], markup=False, soft_wrap=True)


def _cell(column: str, value: Any) -> str:
    if value in (None, [], {}):
        return ""
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return clock_time(value) if column.endswith("_at") else str(value)


def _saved(answer: JsonObject, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        console.print(f"{answer['name']} saved", markup=False)


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
    body = given_only(
        provider=provider,
        base_url=base_url,
        secret=secret,
        calls_per_minute=calls_per_minute,
        max_active=max_active,
        options=values(option, "--option") or None,
    )
    with find_trainbell(url) as client:
        _saved(client.put("connections", name, body), as_json)


@channels.command("put")
def put_channel(
    name: NameArgument,
    kind: Annotated[str, typer.Option(help="See `trainbell channels kinds`.")],
    target: Annotated[str | None, typer.Option(help="Such as a topic or a bus.")] = None,
    secret: Annotated[str | None, typer.Option(help="A reference, as to a webhook's URL.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Which events; ends if none.")] = None,
    project: Annotated[str | None, typer.Option(help="Only this project.")] = None,
    option: OptionOption = None,
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
        _saved(client.put("channels", name, body), as_json)


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


@schedules.command("put")
def put_schedule(
    name: NameArgument,
    expression: Annotated[str, typer.Option(help="cron(0 9 * * 1-5) or rate(6 hours)")],
    provider: Annotated[str, typer.Option(help="See `trainbell providers`.")],
    param: ParamOption = None,
    params_file: ParamsFileOption = None,
    connection: Annotated[
        str | None, typer.Option(help="Which account; the only one if none.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Training, evaluation …; see `providers`.")
    ] = None,
    project: Annotated[str | None, typer.Option(help="The owner; `default` if none.")] = None,
    dataset: Annotated[str | None, typer.Option(help="What it is trained on.")] = None,
    model: Annotated[str | None, typer.Option(help="What it makes a version of.")] = None,
    tag: TagOption = None,
    time_zone: Annotated[str, typer.Option(help="Such as Europe/Berlin.")] = "UTC",
    enabled: Annotated[bool, typer.Option(help="Whether it starts jobs.")] = True,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create or replace a schedule."""
    job = given_only(
        provider=provider,
        connection=connection,
        kind=kind,
        parameters=with_cwd(provider, parameters(param, params_file)),
        dataset=dataset,
        model=model,
        tags=pairs(tag, "--tag") or None,
    )
    body = given_only(
        expression=expression, time_zone=time_zone, enabled=enabled, project=project, job=job
    )
    with find_trainbell(url) as client:
        _saved(client.put("schedules", name, body), as_json)


for _app, _kind in ((connections, "connections"), (channels, "channels"), (schedules, "schedules")):
    _add_common(_app, _kind)
_add_test(connections, "connections", "Try a connection for real, without changing anything.")
_add_test(channels, "channels", "Send a real test message.")
