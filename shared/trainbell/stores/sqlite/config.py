"""Connections, channels and schedules in SQLite: small documents by kind and name."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import cast

from trainbell.domain.settings import ConfigRecord
from trainbell.errors import RecordUnreadable, SettingChanged
from trainbell.ports import NOT_STORED, Page, Record, RecordKind
from trainbell.stores.codec import dump_config, load_config, revision_of
from trainbell.stores.cursors import read_cursor, write_cursor
from trainbell.stores.sqlite.database import Database
from trainbell.stores.sqlite.quarantine import Quarantine, forget, setting_id

_BODY = "SELECT body FROM config WHERE kind = ? AND name = ?"
_PUT = "REPLACE INTO config (body, kind, name) VALUES (?, ?, ?)"
_DELETE = "DELETE FROM config WHERE kind = ? AND name = ?"
_PAGE = "SELECT name, body FROM config WHERE kind = ? AND name > ? ORDER BY name LIMIT ?"


class SqliteConfig:
    """See `ports.ConfigStore` for what is promised."""

    _database: Database
    _quarantine: Quarantine

    def put_config(self, record: Record, *, expected: str | None = None) -> tuple[Record, bool]:
        kind, body = type(record).__name__, dump_config(record)

        def store(db: sqlite3.Connection) -> bool:
            is_new = _require(db, kind, record.name, expected) == NOT_STORED
            db.execute(_PUT, (body, kind, record.name))
            forget(db, RecordKind.SETTING, setting_id(kind, record.name))
            return is_new

        is_new = self._database.write_durably(store)
        return replace(record, revision=revision_of(body)), is_new

    def get_config(self, kind: type[Record], name: str) -> Record | None:
        with self._database.reading() as db:
            row = db.execute(_BODY, (kind.__name__, name)).fetchone()
        return None if row is None else self._read(kind, name, row[0])

    def list_config(
        self, kind: type[Record], *, limit: int = 100, cursor: str | None = None
    ) -> Page[Record]:
        scope = f"config {kind.__name__}"
        after = read_cursor(cursor, scope, (str,))[0] if cursor is not None else ""
        with self._database.reading() as db:
            rows = db.execute(_PAGE, (kind.__name__, after, limit + 1)).fetchall()
        shown = rows[:limit]
        more = write_cursor(scope, (shown[-1][0],)) if len(rows) > limit else None
        good, bad = [], []
        for name, body in shown:
            try:
                good.append(self._read(kind, name, body))
            except RecordUnreadable:
                bad.append(name)
        return Page(tuple(good), more, tuple(bad))

    def delete_config(
        self, kind: type[ConfigRecord], name: str, *, expected: str | None = None
    ) -> bool:
        def delete(db: sqlite3.Connection) -> bool:
            _require(db, kind.__name__, name, expected)
            forget(db, RecordKind.SETTING, setting_id(kind.__name__, name))
            return bool(db.execute(_DELETE, (kind.__name__, name)).rowcount)

        return self._database.write_durably(delete)

    def _read(self, kind: type[Record], name: str, body: bytes) -> Record:
        try:
            return cast("Record", load_config(kind, body, name))
        except RecordUnreadable as error:
            self._quarantine.set_aside(RecordKind.SETTING, setting_id(kind.__name__, name), error)
            raise


def _require(db: sqlite3.Connection, kind: str, name: str, expected: str | None) -> str:
    """The revision that is stored. Raises SettingChanged where another is expected."""
    row = db.execute(_BODY, (kind, name)).fetchone()
    stored = NOT_STORED if row is None else revision_of(row[0])
    if expected is not None and expected != stored:
        raise SettingChanged(f"{kind.lower()} {name} has changed since it was read")
    return stored
