"""SQLite's errors as ours, each saying what to do (https://sqlite.org/rescode.html)."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from trainbell.errors import JobConflict, StoreError, StoreFull, StoreUnavailable

_NO_ROOM = "no room to write the database {path}: free some space there, or raise the quota"
_READ_ONLY = (
    "the database {path} is read-only: make it, the files beside it and their directory writable"
)
_LOCKED = "the database {path} is locked by another process: end that one first"
_DAMAGED = "the database {path} is damaged or no database: restore a copy, or move it away"
_NO_PATH = "the database {path} cannot be opened: check that path"

# By the beginning of SQLite's name for the error; the first that fits. The three I/O errors are
# what SQLite makes of a quota and of a limit to a file's size.
_MEANING: tuple[tuple[str, type[StoreError], str], ...] = (
    ("SQLITE_FULL", StoreFull, _NO_ROOM),
    ("SQLITE_IOERR_WRITE", StoreFull, _NO_ROOM),
    ("SQLITE_IOERR_TRUNCATE", StoreFull, _NO_ROOM),
    ("SQLITE_IOERR_SHMSIZE", StoreFull, _NO_ROOM),
    ("SQLITE_READONLY", StoreFull, _READ_ONLY),
    ("SQLITE_BUSY", StoreUnavailable, _LOCKED),
    ("SQLITE_LOCKED", StoreUnavailable, _LOCKED),
    ("SQLITE_CORRUPT", StoreUnavailable, _DAMAGED),
    ("SQLITE_NOTADB", StoreUnavailable, _DAMAGED),
    ("SQLITE_CANTOPEN", StoreUnavailable, _NO_PATH),
    ("SQLITE_CONSTRAINT", JobConflict, "stored already: {error}"),
)


def require_writable(path: Path) -> None:
    """Refuse a read-only file before SQLite opens it, which would leave read-only files beside it.

    Raises:
        StoreFull: the file is there and cannot be written.
    """
    if path.exists() and not _is_writable(path):
        raise StoreFull(_READ_ONLY.format(path=path))


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """The error to raise instead, `from` this one."""
    name: str = getattr(error, "sqlite_errorname", "")
    directory = path.parent
    if name.startswith("SQLITE_CANTOPEN") and directory.is_dir() and not _is_writable(directory):
        return StoreFull(_READ_ONLY.format(path=path))
    for beginning, kind, text in _MEANING:
        if name.startswith(beginning) and text is _LOCKED:
            return StoreUnavailable(text.format(path=path), is_locked=True)
        if name.startswith(beginning):
            return kind(text.format(path=path, error=error))
    return StoreUnavailable(f"the database {path} failed: {name} {error}")


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
