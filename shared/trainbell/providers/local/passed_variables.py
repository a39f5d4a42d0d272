"""Variables that a person passed by name from their own shell: values that no record may hold.

They may be secrets, so a job's record names only a private file beside the run directories. A run
that uses it has a second link to it, so that it stays until the run is forgotten.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from trainbell.providers.local.regular_files import open_regular

DIRECTORY = ".passed"
MAX_BYTES = 1_048_576


def pass_on(root: Path, variables: Mapping[str, str]) -> str:
    """Keep them for a job that is about to be asked for; the name to put into its parameters.

    Raises OSError where the disk does.
    """
    directory = root / DIRECTORY
    root.parent.parent.mkdir(parents=True, exist_ok=True)
    for each in (root.parent, root, directory):  # parents made on the way would be open to all
        each.mkdir(mode=0o700, exist_ok=True)
    name = secrets.token_hex(16)
    descriptor = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(dict(variables), file)
    return name


def link_to_run(root: Path, name: str, run_path: Path) -> None:
    """Raises FileNotFoundError where nothing of this name was passed, or it was removed since."""
    target = run_path / "passed.json"
    if not target.exists():
        os.link(root / DIRECTORY / name, target, follow_symlinks=False)


def read_given(root: Path, name: str) -> dict[str, str]:
    """Raises FileNotFoundError where nothing of this name was passed, and as `read_passed`."""
    path = root / DIRECTORY / name
    path.lstat()
    return read_passed(path)


def read_passed(path: Path) -> dict[str, str]:
    """The variables; none where the run has none.

    Raises:
        ValueError: it is not what `pass_on` writes.
        OSError: it cannot be read.
    """
    try:
        with open_regular(path) as file:
            found = json.loads(file.read(MAX_BYTES))
    except FileNotFoundError:
        return {}
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} holds no variables")  # noqa: TRY004 - damaged
    return {str(name): str(value) for name, value in found.items()}
