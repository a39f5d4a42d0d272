# ruff: noqa: PTH105, PTH108, PTH120
"""Records that are whole or not there, whoever dies and however full the disk is."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NO_SPACE_PAUSE_SECONDS = 5.0
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


def write_ending(path: str, ending: dict[str, Any]) -> None:
    """A full disk delays the truth; it must not lose it. Until then the run counts as alive."""
    while True:
        try:
            write_whole(path, ending, durable=True)
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            time.sleep(NO_SPACE_PAUSE_SECONDS)
        else:
            return


def write_whole(path: str, record: dict[str, Any], *, durable: bool = False) -> None:
    """Exclusive creation: what the command may have put in the draft's place is never opened."""
    draft = f"{path}.draft"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(draft)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(record, file)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    os.replace(draft, path)
    if durable:
        sync_directory(os.path.dirname(path))


def sync_directory(directory: str) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
