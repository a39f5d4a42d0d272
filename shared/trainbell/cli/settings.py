"""What the commands on connections, channels and schedules have in common."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.options import JsonOption, UrlOption
from trainbell.cli.output import clock_time, console, fact_page, print_json, rows_table
from trainbell.client import JsonObject

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Its name.")]


def settings_app(kind: str, columns: Sequence[str], summary: str) -> typer.Typer:
    """`list`, `show` and `delete` of `/v1/{kind}`. A time zone of a setting is its times' zone."""
    app = typer.Typer(no_args_is_help=True, help=summary)

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
            rows = ([_cell(column, item) for column in columns] for item in items)
            console.print(rows_table([each.replace("_", " ") for each in columns], rows))

    @app.command("show")
    def show(name: NameArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
        """Show one with all its settings."""
        with find_trainbell(url) as client:
            found = client.get(kind, name)
        if as_json:
            print_json(found)
        else:
            console.print(fact_page((key.replace("_", " "), _cell(key, found)) for key in found))

    @app.command("delete")
    def delete(name: NameArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
        """Delete one."""
        with find_trainbell(url) as client:
            client.delete(kind, name)
        if as_json:
            print_json({"name": name, "deleted": True})
        else:
            console.print(f"{name} deleted", markup=False)

    return app


def add_test(app: typer.Typer, kind: str, what: str) -> None:
    """`test`, where there is something to try for real."""

    @app.command("test", help=what)
    def test(name: NameArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
        with find_trainbell(url) as client:
            answer = client.test(kind, name)
        if as_json:
            print_json(answer)
        else:
            console.print(answer["message"], markup=False, soft_wrap=True)


def say_saved(answer: JsonObject, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        console.print(f"{answer['name']} saved", markup=False)


def _cell(column: str, setting: JsonObject) -> str:
    value: Any = setting.get(column)
    if value in (None, [], {}):
        return ""
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if column.endswith("_at"):
        return clock_time(value, zone=setting.get("time_zone"))
    return str(value)
