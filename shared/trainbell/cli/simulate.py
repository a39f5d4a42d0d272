"""`trainbell simulate`: a training service on this machine, to try things without an account."""

from __future__ import annotations

from typing import Annotated

import typer

from trainbell.cli.exit_codes import ExitCode
from trainbell.simulators.__main__ import main, names


def simulate(
    service: Annotated[
        str, typer.Argument(metavar="SERVICE", help=f"One of: {', '.join(names())}.")
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    speed: Annotated[
        float, typer.Option(min=0.0, max=1e6, help="How many times faster its clock runs.")
    ] = 1.0,
) -> None:
    """Print the base URL of a simulated service, and serve it until Ctrl-C."""
    if service not in names():
        known = ", ".join(names())
        raise typer.BadParameter(f"'{service}' is none of: {known}", param_hint="SERVICE")
    if main([service, "--port", str(port), "--speed", str(speed)]):
        raise typer.Exit(ExitCode.BAD_INPUT)
