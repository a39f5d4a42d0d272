"""`trainbell datarobot …`: the models and versions that jobs at DataRobot are about.

Each command is a call on the connection's account through Trainbell's API, by the server's
credentials; only `--direct` moves files without it (see `direct`).
"""

from __future__ import annotations

import typer

from trainbell.cli.datarobot import access, models, versions

app = typer.Typer(no_args_is_help=True, help="Models and versions at DataRobot.")
app.add_typer(models.app, name="models")
app.add_typer(versions.app, name="versions")
app.add_typer(access.app, name="access")
app.command("limits")(models.limits)
