"""`trainbell datarobot …`: the models and versions that jobs at DataRobot are about.

Trainbell says where a connection leads and by which secret; this machine reads the secret and
speaks with DataRobot itself, since files of any size go to and fro.
"""

from __future__ import annotations

import typer

from trainbell.cli.datarobot import access, models, versions

app = typer.Typer(no_args_is_help=True, help="Models and versions at DataRobot.")
app.add_typer(models.app, name="models")
app.add_typer(versions.app, name="versions")
app.add_typer(access.app, name="access")
app.command("limits")(models.limits)
