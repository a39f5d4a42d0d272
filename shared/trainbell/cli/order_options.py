"""What can be asked for, as options: the one place where the command line declares it.

`start` and `schedules put` (and what else orders a job) take them by `@takes_order`.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_type_hints

import typer

from trainbell.cli.options import ParamOption, ParamsFileOption, TagOption, pairs, parameters
from trainbell.cli.quantities import deadline_of, number
from trainbell.client import JsonObject

INTERVAL = "Seconds between two looks, at {}."


@dataclass(frozen=True, kw_only=True)
class OrderOptions:
    """A field is an option; `body` says what becomes of it."""

    provider: Annotated[str, typer.Option(help="Which training service; see `providers`.")]
    param: ParamOption = None
    params_file: ParamsFileOption = None
    connection: Annotated[str | None, typer.Option(help="Which account; the only one if none.")] = (
        None
    )
    kind: Annotated[str | None, typer.Option(help="Training, evaluation …; see `providers`.")] = (
        None
    )
    name: Annotated[str | None, typer.Option(help="Unique in the project.")] = None
    project: Annotated[str | None, typer.Option(help="The owner; `default` if none.")] = None
    dataset: Annotated[str | None, typer.Option(help="What it is trained on.")] = None
    model: Annotated[str | None, typer.Option(help="What it makes a version of.")] = None
    tag: TagOption = None
    deadline: Annotated[
        str | None, typer.Option(help="2h30m from its request, or a time with zone.")
    ] = None
    when_busy: Annotated[
        str | None, typer.Option(metavar="refuse|wait", help="While another job is in its way.")
    ] = None
    on_unclear: Annotated[
        str | None,
        typer.Option(metavar="wait|ask", help="Where nobody can tell if a start was taken."),
    ] = None
    min_interval: Annotated[
        float | None, typer.Option(parser=number, help=INTERVAL.format("least"))
    ] = None
    max_interval: Annotated[
        float | None, typer.Option(parser=number, help=INTERVAL.format("most"))
    ] = None

    def body(self) -> JsonObject:
        """As `POST /v1/jobs` takes it. Raises typer.BadParameter, naming the option."""
        return given_only(
            provider=self.provider,
            connection=self.connection,
            kind=self.kind,
            project=self.project,
            name=self.name,
            parameters=self._parameters(),
            dataset=self.dataset,
            model=self.model,
            tags=pairs(self.tag, "--tag") or None,
            **deadline_of(self.deadline),
            when_busy=self.when_busy,
            on_unclear=self.on_unclear,
            min_interval_seconds=self.min_interval,
            max_interval_seconds=self.max_interval,
        )

    def _parameters(self) -> JsonObject:
        given = parameters(self.param, self.params_file)
        # A local command runs where it was asked for, as a shell does it.
        here = {"cwd": os.getcwd()} if self.provider == "local" else {}  # noqa: PTH109
        return here | given


def takes_order(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the order's options in place of its parameter `order: OrderOptions`."""
    own = inspect.signature(command, eval_str=True).parameters
    hints = get_type_hints(OrderOptions, include_extras=True)
    options = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if each.name == "provider" else None,
            annotation=hints[each.name],
        )
        for each in fields(OrderOptions)
    ]
    names = {each.name for each in options}

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        order = OrderOptions(**{key: given.pop(key) for key in names})
        command(order=order, **given)

    merged: list[inspect.Parameter] = []
    for each in own.values():
        merged += options if each.name == "order" else [each.replace(kind=each.KEYWORD_ONLY)]
    signature = inspect.Signature(merged)
    with_options.__signature__ = signature  # type: ignore[attr-defined]  # inspect reads it
    with_options.__annotations__ = {each.name: each.annotation for each in merged}
    return with_options


def given_only(**said: Any) -> JsonObject:
    """A body without what was not said: the server knows what goes then."""
    return {key: value for key, value in said.items() if value is not None}
