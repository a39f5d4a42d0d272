"""`trainbell up`: the embedded engine, in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainbell.embedded.data_dir import default_data_dir


def up(
    data_dir: Annotated[
        Path | None, typer.Option(envvar="TRAINBELL_DATA_DIR", help="Where everything is kept.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8765,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Needed for an address other than loopback.")
    ] = False,
) -> None:
    """Run Trainbell on this machine until Ctrl-C or SIGTERM. Jobs go on; a restart resumes them."""
    from trainbell.embedded.up import run_up

    raise typer.Exit(
        run_up(data_dir or default_data_dir(), host=host, port=port, allow_remote=allow_remote)
    )
