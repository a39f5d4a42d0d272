"""A consistent copy of a database that others are writing, proved before it stands there."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from trainbell.errors import ConfigInvalid
from trainbell.stores.sqlite.errors import store_error
from trainbell.stores.sqlite.schema import require_known


def copy_database(source: Path, target: Path) -> None:
    """Copy `source` as it is at one moment to the new file `target`, private and synced.

    Writers go on meanwhile: in WAL mode one long reader holds nobody up
    (https://sqlite.org/backup.html, https://sqlite.org/wal.html#concurrency).

    Raises:
        ConfigInvalid: there is no source, or the target exists, or cannot be written.
        StoreTooNew: a newer Trainbell wrote the source.
        StoreUnavailable, StoreFull: it is damaged or no database; or there is no room.
    """
    if not source.is_file():
        raise ConfigInvalid(f"there is no database {source}")
    if target.exists():
        raise ConfigInvalid(f"{target} is there already; name a new file")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(source, unfinished)
        _sync(unfinished)
        # Fails where somebody has put one there meanwhile; a rename would replace it.
        os.link(unfinished, target)
        _sync(target.parent)
    except OSError as error:
        raise ConfigInvalid(f"{target} cannot be written: {error.strerror}") from error
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):
            Path(f"{unfinished}{suffix}").unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    where = source
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as db:
            require_known(db, source)
            with closing(sqlite3.connect(target)) as copy:
                # All pages in one step, of one snapshot: in several steps, each write of another
                # process would make it begin anew.
                db.backup(copy, pages=-1)
        where = target
        with closing(sqlite3.connect(target)) as copy:
            # One file, with no log beside it that might be left behind.
            copy.execute("PRAGMA journal_mode = DELETE")
            found = [row[0] for row in copy.execute("PRAGMA integrity_check(10)")]
    except sqlite3.Error as error:
        raise store_error(error, where) from error
    if found != ["ok"]:
        raise ConfigInvalid(f"the database {source} is damaged: {'; '.join(found)}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
