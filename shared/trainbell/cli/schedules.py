"""`trainbell schedules`: jobs that start by the clock."""

from __future__ import annotations

from typing import Annotated

import typer

from trainbell.cli.connecting import find_trainbell
from trainbell.cli.options import JsonOption, UrlOption
from trainbell.cli.order_options import OrderOptions, given_only, takes_order
from trainbell.cli.settings import add_test, say_saved, settings_app

schedules = settings_app(
    "schedules",
    ("name", "expression", "time_zone", "enabled", "next_due_at", "last_error"),
    "Jobs that start by the clock.",
)


@schedules.command("put")
@takes_order
def put_schedule(
    schedule: Annotated[str, typer.Argument(metavar="NAME", help="The schedule's name.")],
    expression: Annotated[
        str,
        typer.Option(help="cron(0 9 * * 1-5), rate(6 hours) or at(2026-12-01T09:00:00)."),
    ],
    order: OrderOptions,
    time_zone: Annotated[str, typer.Option(help="Such as Europe/Berlin.")] = "UTC",
    enabled: Annotated[bool, typer.Option(help="Whether it starts jobs.")] = True,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create or replace a schedule. Each due time orders the job that its options describe."""
    body = given_only(expression=expression, time_zone=time_zone, enabled=enabled, job=order.body())
    with find_trainbell(url) as client:
        say_saved(client.put("schedules", schedule, body), as_json)


add_test(schedules, "schedules", "Check that its job could start, and say when it is next due.")
