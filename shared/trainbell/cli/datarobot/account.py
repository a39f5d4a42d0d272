"""The way from a connection's name to its account at DataRobot, through Trainbell's API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.exit_codes import ExitCode
from trainbell.cli.options import values
from trainbell.cli.output import console, errors, fact_page, print_json, rows_table
from trainbell.client import ApiProblem, JsonObject, Trainbell

PROVIDER = "datarobot"
_BAD_GATEWAY = 502

ConnectionOption = Annotated[
    str | None, typer.Option("--connection", help="Which account; the only one if none.")
]
FieldOption = Annotated[
    list[str] | None,
    typer.Option(
        "--field", "-f", metavar="KEY=VALUE", help="A field by its documented name; JSON is JSON."
    ),
]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="The model's id.")]


@dataclass(frozen=True, slots=True)
class Account:
    """One connection's account, as the API reaches it. `document`: the connection itself."""

    trainbell: Trainbell
    document: JsonObject

    @property
    def name(self) -> str:
        return str(self.document["name"])

    def call(self, call: str, **given: Any) -> JsonObject:
        return self.trainbell.at_service(self.name, call, **_given(given))

    def every(self, call: str, **given: Any) -> list[JsonObject]:
        """All items of a list, page by page."""
        return list(self.trainbell.all_at_service(self.name, call, limit=100, **_given(given)))


@contextmanager
def account(url: str | None, connection: str | None) -> Iterator[Account]:
    """The account behind a connection, for as long as one command takes.

    What the service refuses ends the command with its own words; nothing is sent again.

    Raises:
        ApiProblem: Trainbell refuses, or cannot reach the service.
        typer.BadParameter: no such connection.
    """
    with find_trainbell(url) as trainbell:
        try:
            yield Account(trainbell, _connection(trainbell, connection))
        except ApiProblem as problem:
            if not _is_refused_by_the_service(problem):
                raise
            errors.print(f"trainbell: {problem}", style="red", markup=False, soft_wrap=True)
            for key, value in _beside_the_message(problem.document.get("vendor_details")):
                errors.print(f"  {key}: {value}", markup=False, soft_wrap=True)
            raise typer.Exit(ExitCode.REFUSED) from problem


def fields(given: Sequence[str] | None, **more: Any) -> JsonObject:
    """`--field` options and what else was given. The API checks them, and says all problems."""
    return {**values(given, "--field"), **_given(more)}


def show(document: JsonObject, as_json: bool, *facts: str) -> None:
    """All of it as JSON, or these facts for a person."""
    if as_json:
        print_json(document)
    else:
        console.print(fact_page((name, _plain(document.get(name))) for name in facts))


def show_list(documents: Sequence[JsonObject], as_json: bool, *columns: str) -> None:
    if as_json:
        print_json({"items": list(documents)})
    elif not documents:
        console.print("none", style="dim")
    else:
        rows = ([_plain(each.get(column)) for column in columns] for each in documents)
        console.print(rows_table(columns, rows))


def say(facts: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(dict(facts))
    else:
        console.print(fact_page((key, _plain(value)) for key, value in facts.items()))


def _given(named: Mapping[str, Any]) -> JsonObject:
    return {key: value for key, value in named.items() if value is not None}


def _connection(trainbell: Trainbell, name: str | None) -> JsonObject:
    if name is not None:
        found = [trainbell.get("connections", name)]
    else:
        found = list(trainbell.all_of("/v1/connections"))
    ours = [each for each in found if each.get("provider") == PROVIDER]
    if len(ours) != 1:
        names = ", ".join(str(each.get("name")) for each in ours)
        why = f"name one of: {names}" if ours else "no such connection is of provider datarobot"
        raise typer.BadParameter(why, param_hint="--connection")
    return ours[0]


def _is_refused_by_the_service(problem: ApiProblem) -> bool:
    kinds = ("urn:trainbell:provider-rejected", "urn:trainbell:provider-job-missing")
    return problem.status == _BAD_GATEWAY and problem.document.get("type") in kinds


def _beside_the_message(details: object) -> Iterable[tuple[str, object]]:
    if not isinstance(details, Mapping):
        return ()
    return [(str(k), v) for k, v in details.items() if k != "message" and v not in (None, [], {})]


def _plain(value: Any) -> str:
    return "" if value in (None, [], {}) else str(value)
