"""The entry point. Says in one line what to install where the command line's packages are missing.

Nothing here imports more than the standard library: `pip install trainbell` alone, as the cloud's
functions use it, brings neither typer nor rich.
"""

from __future__ import annotations

import sys

from trainbell.cli.extra import MISSING, NEEDED

_BAD_INPUT = 2


def run() -> None:
    """Always ends the process with a documented status."""
    sys.exit(exit_status(sys.argv[1:]))


def exit_status(args: list[str]) -> int:
    """Run one command; what went wrong is said on standard error, in one place."""
    try:
        from trainbell.cli.running import run_command
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        sys.stderr.write(f"trainbell: {MISSING.format(error.name)}\n")
        return _BAD_INPUT
    return run_command(args)
