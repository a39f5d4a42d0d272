"""The way from a connection's name to its account at DataRobot, and how answers are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.exit_codes import ExitCode
from trainbell.cli.options import values
from trainbell.cli.output import console, errors, fact_page, print_json, rows_table
from trainbell.clock import SystemClock
from trainbell.domain.settings import Connection
from trainbell.errors import InputInvalid, ProviderJobMissing, ProviderRejected
from trainbell.ports import ProviderContext
from trainbell.providers.datarobot import PROVIDER
from trainbell.providers.datarobot.client import DataRobotClient
from trainbell.providers.datarobot.parameters import Parameters
from trainbell.secret_sources import MachineSecrets

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
Given = TypeVar("Given", bound=Parameters)


@contextmanager
def account(url: str | None, connection: str | None) -> Iterator[DataRobotClient]:
    """The account behind a connection, for as long as one command takes.

    What the service refuses ends the command with its own words; nothing is sent again.

    Raises:
        ConfigInvalid: the secret cannot be read on this machine.
        typer.BadParameter: no such connection, or an id that cannot be one.
    """
    client = DataRobotClient.from_context(
        ProviderContext(
            connection=_connection(url, connection), secrets=MachineSecrets(), clock=SystemClock()
        )
    )
    try:
        yield client
    except (ProviderRejected, ProviderJobMissing) as refused:
        errors.print(f"trainbell: {refused}", style="red", markup=False, soft_wrap=True)
        for key, value in _beside_the_message(refused.details):
            errors.print(f"  {key}: {value}", markup=False, soft_wrap=True)
        raise typer.Exit(ExitCode.REFUSED) from refused
    except (InputInvalid, ValueError) as wrong:
        raise typer.BadParameter(str(wrong)) from wrong
    finally:
        client.close()


def checked(kind: type[Given], given: Sequence[str] | None, **more: Any) -> Given:
    """The fields that were given, as what the service takes.

    Raises:
        typer.BadParameter: with every problem.
    """
    said = {key: value for key, value in more.items() if value is not None}
    try:
        return kind.model_validate({**values(given, "--field"), **said})
    except ValidationError as wrong:
        problems = (
            f"{'.'.join(map(str, p['loc'])) or 'fields'}: {p['msg']}" for p in wrong.errors()
        )
        raise typer.BadParameter("; ".join(problems), param_hint="--field") from wrong


def show(thing: BaseModel, as_json: bool, *facts: str) -> None:
    """All of it as JSON, or these facts for a person."""
    document = thing.model_dump(mode="json", by_alias=True)
    if as_json:
        print_json(document)
    else:
        console.print(fact_page((name, _plain(document.get(name))) for name in facts))


def show_list(things: Iterable[BaseModel], as_json: bool, *columns: str) -> None:
    documents = [thing.model_dump(mode="json", by_alias=True) for thing in things]
    if as_json:
        print_json({"items": documents})
    elif not documents:
        console.print("none", style="dim")
    else:
        rows = ([_plain(each.get(column)) for column in columns] for each in documents)
        console.print(rows_table(columns, rows))


def save(to: Path, write_into: Callable[[Callable[[bytes], object]], int], as_json: bool) -> None:
    """Write a download to a file, which is there whole or not at all."""
    with NamedTemporaryFile(dir=to.parent, prefix=f".{to.name}.", delete=False) as file:
        part = Path(file.name)
        try:
            size = write_into(file.write)
            file.flush()
            part.replace(to)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    say({"path": str(to), "bytes": size}, as_json)


def say(facts: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(dict(facts))
    else:
        console.print(fact_page((key, _plain(value)) for key, value in facts.items()))


def _connection(url: str | None, name: str | None) -> Connection:
    with find_trainbell(url) as trainbell:
        if name is not None:
            found = [trainbell.get("connections", name)]
        else:
            found = list(trainbell.all_of("/v1/connections"))
    ours = [each for each in found if each.get("provider") == PROVIDER.name]
    if len(ours) != 1:
        names = ", ".join(str(each.get("name")) for each in ours)
        why = f"name one of: {names}" if ours else "no such connection is of provider datarobot"
        raise typer.BadParameter(why, param_hint="--connection")
    return Connection(
        name=ours[0]["name"],
        provider=PROVIDER.name,
        base_url=ours[0].get("base_url") or PROVIDER.default_base_url,
        secret=ours[0].get("secret"),
    )


def _beside_the_message(details: object) -> Iterable[tuple[str, object]]:
    if not isinstance(details, Mapping):
        return ()
    return [(str(k), v) for k, v in details.items() if k != "message" and v not in (None, [], {})]


def _plain(value: Any) -> str:
    return "" if value in (None, [], {}) else str(value)
