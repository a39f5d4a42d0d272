"""`trainbell backup | restore`: the database of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainbell.cli.output import errors
from trainbell.embedded.data_dir import default_data_dir

DataDirOption = Annotated[
    Path | None, typer.Option(envvar="TRAINBELL_DATA_DIR", help="Where everything is kept.")
]


def backup(
    file: Annotated[Path, typer.Argument(help="A new file.")], data_dir: DataDirOption = None
) -> None:
    """Copy this machine's database as it is now, while Trainbell runs or not."""
    from trainbell.embedded import backups

    backups.backup(data_dir or default_data_dir(), file)
    errors.print(f"{file} is a whole copy; bring it back with:  trainbell restore", markup=False)


def restore(
    file: Annotated[Path, typer.Argument(help="What `trainbell backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Move a database that is there aside.")
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Put a backup in the database's place. Jobs go on from where they are by now."""
    from trainbell.embedded import backups

    watched, aside = backups.restore(data_dir or default_data_dir(), file, replaces=replace)
    errors.print(f"{watched} jobs are watched from the next `trainbell up` on", markup=False)
    if aside is not None:
        errors.print(f"what was there before is {aside} now", markup=False, soft_wrap=True)
