"""How long ended jobs took, counted in SQLite and remembered in memory.

Every poll asks for these counts, and they change only when a job ends.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence

from trainbell.domain.durations import DurationHistory
from trainbell.stores.sqlite.database import Database

KEYS_REMEMBERED = 1024


class DurationCounts:
    """Counters by key and bin. The memory is right because one process owns the file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._remembered: dict[str, Mapping[int, int]] = {}
        self._changes = 0

    def add(self, db: sqlite3.Connection, keys: Iterable[str], bin_number: int) -> None:
        """Count one job, within a transaction. Call `forget` once it is committed."""
        db.executemany(
            "INSERT INTO durations (key, bin, jobs) VALUES (?, ?, 1)"
            " ON CONFLICT (key, bin) DO UPDATE SET jobs = jobs + 1",
            [(key, bin_number) for key in keys],
        )

    def forget(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        with self._lock:
            self._changes += 1
            for key in keys:
                self._remembered.pop(key, None)

    def read(self, keys: Sequence[str]) -> DurationHistory:
        return DurationHistory(tuple(self._counts(key) for key in keys))

    def _counts(self, key: str) -> Mapping[int, int]:
        counts = self._remembered.get(key)
        if counts is None:
            changes = self._changes
            with self._database.reading() as db:
                rows = db.execute("SELECT bin, jobs FROM durations WHERE key = ?", (key,))
                counts = dict(rows.fetchall())
            self._remember(key, counts, changes)
        return counts

    def _remember(self, key: str, counts: Mapping[int, int], changes: int) -> None:
        with self._lock:
            # Something was counted since this was read: it may be old already.
            if changes != self._changes:
                return
            if len(self._remembered) >= KEYS_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = counts
