"""`python -m trainbell.cli` is `trainbell`."""

from trainbell.cli.app import run

run()
