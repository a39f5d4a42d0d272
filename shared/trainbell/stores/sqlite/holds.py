"""Holds in SQLite: exclusive keys of jobs, and among them the slots of a connection."""

from __future__ import annotations

import sqlite3

from trainbell.domain.slots import first_free, slots_of
from trainbell.errors import HoldTaken
from trainbell.stores.sqlite.database import Database

_SLOTS_TAKEN = "SELECT key FROM holds WHERE key >= ? AND key < ?"
_AFTER_NUMBERS = ":"  # Follows the digits in ASCII.


class SqliteHolds:
    """See `ports.JobStore` for what is promised."""

    _database: Database

    def find_by_hold(self, key: str) -> str | None:
        with self._database.reading() as db:
            return _holder(db, key)

    def free_slot(self, connection: str, slots: int, *, first: int = 0) -> str | None:
        begin = slots_of(connection)
        with self._database.reading() as db:
            taken = {key for (key,) in db.execute(_SLOTS_TAKEN, (begin, begin + _AFTER_NUMBERS))}
        return first_free(taken, connection, slots, first)


def take(db: sqlite3.Connection, key: str, job_id: str) -> None:
    """Within a transaction. Raises HoldTaken where another job has it."""
    holder = _holder(db, key)
    if holder is None:
        db.execute("INSERT INTO holds (key, job_id) VALUES (?, ?)", (key, job_id))
    elif holder != job_id:
        raise HoldTaken(key, holder)


def _holder(db: sqlite3.Connection, key: str) -> str | None:
    row = db.execute("SELECT job_id FROM holds WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])
