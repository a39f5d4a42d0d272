"""`trainbell simulate`: training services on this machine, to try things without an account."""

from __future__ import annotations

from typing import Annotated

import typer

from trainbell.cli.exit_codes import ExitCode
from trainbell.simulators.__main__ import ALL, LAST_PORT, chosen, names, run

Names = Annotated[
    list[str],
    typer.Argument(metavar="NAME...", help=f"{', '.join(names())}, or {ALL}.", show_default=False),
]


def simulate(
    services: Names,
    port: Annotated[
        int,
        typer.Option(min=0, max=LAST_PORT, help="Of the first, then the next; 0 takes free ones."),
    ] = 0,
    speed: Annotated[
        float, typer.Option(min=0.0, max=1e6, help="How many times faster their clocks run.")
    ] = 1.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object a line, for programs.")
    ] = False,
) -> None:
    """Serve simulated services until Ctrl-C; print each one's URL and how to connect to it."""
    try:
        wanted = chosen(services)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from error
    if run(wanted, port=port, speed=speed, as_json=as_json):
        raise typer.Exit(ExitCode.BAD_INPUT)
