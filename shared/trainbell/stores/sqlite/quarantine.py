"""What cannot be read in SQLite: set aside, counted, and taken back once it can be read."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from trainbell.errors import RecordUnreadable, StoreError
from trainbell.ports import RecordKind
from trainbell.stores.codec import load_entry, load_job
from trainbell.stores.sqlite.database import Database

Item = TypeVar("Item")

log = logging.getLogger("trainbell.stores")

# Where each kind is due: what is set aside is due no more, and its time is kept beside it.
_TIMES = {
    RecordKind.JOB: ("SELECT due_at FROM jobs WHERE id = ?", "UPDATE jobs SET due_at = ?"),
    RecordKind.OUTBOX_ENTRY: (
        "SELECT ready_at FROM outbox WHERE id = ?",
        "UPDATE outbox SET ready_at = ?",
    ),
}
_BODIES: Mapping[RecordKind, tuple[str, Callable[[bytes, str], object]]] = {
    RecordKind.JOB: ("SELECT body FROM jobs WHERE id = ?", load_job),
    RecordKind.OUTBOX_ENTRY: ("SELECT body FROM outbox WHERE id = ?", load_entry),
}


class Quarantine:
    """The table of what is set aside. The records themselves stay where they are, untouched."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def readable(
        self,
        kind: RecordKind,
        rows: Iterable[tuple[str, bytes]],
        load: Callable[[bytes, str], Item],
    ) -> tuple[list[Item], tuple[str, ...]]:
        """What can be read of these rows of (id, body), and the ids of those set aside."""
        good, bad = [], []
        for record_id, body in rows:
            try:
                good.append(load(body, record_id))
            except RecordUnreadable as error:
                self.set_aside(kind, record_id, error)
                bad.append(record_id)
        return good, tuple(bad)

    def set_aside(self, kind: RecordKind, record_id: str, error: RecordUnreadable) -> None:
        """A store that cannot be written leaves it where it is; whoever meets it next tries."""
        try:
            is_new = self._database.write_durably(lambda db: _set_aside(db, kind, record_id))
        except StoreError as exc:
            log.warning("%s, nor set aside now: %s", error, exc)
            return
        if is_new:
            log.error("%s; it is kept, set aside, and tried again later", error)

    def count(self) -> Mapping[RecordKind, int]:
        with self._database.reading() as db:
            rows = db.execute("SELECT kind, count(*) FROM quarantine GROUP BY kind").fetchall()
        return {RecordKind(kind): count for kind, count in rows}

    def readmit(self) -> int:
        """Jobs and entries; a setting is taken back when it is put anew, or read."""
        with self._database.reading() as db:
            known = db.execute("SELECT kind, id FROM quarantine").fetchall()
        return sum(self._readmit(RecordKind(kind), record_id) for kind, record_id in known)

    def _readmit(self, kind: RecordKind, record_id: str) -> bool:
        if kind not in _BODIES:
            return False
        select, load = _BODIES[kind]
        with self._database.reading() as db:
            row = db.execute(select, (record_id,)).fetchone()
        try:
            if row is not None:
                load(row[0], record_id)
        except RecordUnreadable:
            return False
        self._database.write_durably(lambda db: _take_back(db, kind, record_id))
        if row is not None:
            log.warning("%s %s can be read again and is taken back", kind.value, record_id)
        return row is not None


def setting_id(kind: str, name: str) -> str:
    return f"{kind}/{name}"


def forget(db: sqlite3.Connection, kind: RecordKind, record_id: str) -> None:
    """Within a transaction that replaces or deletes the record."""
    db.execute("DELETE FROM quarantine WHERE kind = ? AND id = ?", (kind.value, record_id))


def _set_aside(db: sqlite3.Connection, kind: RecordKind, record_id: str) -> bool:
    """Whether it was not set aside before."""
    due_at = None
    if kind in _TIMES:
        select, update = _TIMES[kind]
        row = db.execute(select, (record_id,)).fetchone()
        due_at = row[0] if row else None
        db.execute(f"{update} WHERE id = ?", (None, record_id))
    known = (kind.value, record_id)
    if due_at is not None:
        db.execute("UPDATE quarantine SET due_at = ? WHERE kind = ? AND id = ?", (due_at, *known))
    added = db.execute(
        "INSERT INTO quarantine (kind, id, due_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (*known, due_at),
    )
    return bool(added.rowcount)


def _take_back(db: sqlite3.Connection, kind: RecordKind, record_id: str) -> None:
    known = (kind.value, record_id)
    row = db.execute("SELECT due_at FROM quarantine WHERE kind = ? AND id = ?", known).fetchone()
    if row is not None and row[0] is not None:
        _, update = _TIMES[kind]
        db.execute(f"{update} WHERE id = ?", (row[0], record_id))
    forget(db, kind, record_id)
