"""Connections, channels and schedules in SQLite: small documents by kind and name."""

from __future__ import annotations

import sqlite3
from typing import cast

from trainbell.domain.settings import ConfigRecord
from trainbell.ports import Page, Record
from trainbell.stores.codec import dump_config, load_config
from trainbell.stores.cursors import read_cursor, write_cursor
from trainbell.stores.sqlite.database import Database


class SqliteConfig:
    """See `ports.ConfigStore` for what is promised."""

    _database: Database

    def put_config(self, record: ConfigRecord) -> bool:
        values = (dump_config(record), type(record).__name__, record.name)

        def store(db: sqlite3.Connection) -> bool:
            update = "UPDATE config SET body = ? WHERE kind = ? AND name = ?"
            if db.execute(update, values).rowcount:
                return False
            db.execute("INSERT INTO config (body, kind, name) VALUES (?, ?, ?)", values)
            return True

        return self._database.write_durably(store)

    def get_config(self, kind: type[Record], name: str) -> Record | None:
        with self._database.reading() as db:
            row = db.execute(
                "SELECT body FROM config WHERE kind = ? AND name = ?", (kind.__name__, name)
            ).fetchone()
        return None if row is None else cast("Record", load_config(kind, row[0]))

    def list_config(
        self, kind: type[Record], *, limit: int = 100, cursor: str | None = None
    ) -> Page[Record]:
        scope = f"config {kind.__name__}"
        after = read_cursor(cursor, scope, (str,))[0] if cursor is not None else ""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT name, body FROM config WHERE kind = ? AND name > ? ORDER BY name LIMIT ?",
                (kind.__name__, after, limit + 1),
            ).fetchall()
        shown = rows[:limit]
        more = write_cursor(scope, (shown[-1][0],)) if len(rows) > limit else None
        return Page(tuple(cast("Record", load_config(kind, body)) for _, body in shown), more)

    def delete_config(self, kind: type[ConfigRecord], name: str) -> bool:
        delete, values = "DELETE FROM config WHERE kind = ? AND name = ?", (kind.__name__, name)
        return self._database.write_durably(lambda db: bool(db.execute(delete, values).rowcount))
