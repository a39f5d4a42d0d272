"""What the extra `embedded` brings, and what to say where it is missing."""

from __future__ import annotations

NEEDED = frozenset({"cryptography", "rich", "typer", "tzdata", "uvicorn"})
"""The packages of the extra `embedded`."""

MISSING = (
    "{} is not installed: the command line and `trainbell up` need the extra `embedded`; "
    "in Trainbell's directory: pip install '.[embedded]'"
)
