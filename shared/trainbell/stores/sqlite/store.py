"""The embedded store: one SQLite file in the data directory, written by one process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from trainbell.domain.durations import DurationHistory
from trainbell.domain.rate_budget import next_place, spacing_seconds
from trainbell.ports import RecordKind
from trainbell.stores.sqlite.archive import SqliteArchive
from trainbell.stores.sqlite.config import SqliteConfig
from trainbell.stores.sqlite.database import Database, micros, moment
from trainbell.stores.sqlite.history import DurationCounts
from trainbell.stores.sqlite.holds import SqliteHolds
from trainbell.stores.sqlite.jobs import SqliteJobs
from trainbell.stores.sqlite.outbox import SqliteOutbox
from trainbell.stores.sqlite.quarantine import Quarantine

DELIVERIES_KEPT = timedelta(days=90)
_PURGED_AT_ONCE = 1000


class SqliteStore(SqliteJobs, SqliteHolds, SqliteOutbox, SqliteConfig, SqliteArchive):
    """Implements `ports.Store`. Safe to share between threads.

    Whatever carries events, outbox entries, holds or settings is on the disk when a call returns.
    Plain bookkeeping of a poll survives the death of the process, not surely a power cut.

    Raises (when made): StoreTooNew, StoreFull, StoreUnavailable; see `Database`.
    """

    def __init__(self, path: Path, *, busy_seconds: float = 5.0) -> None:
        self._database = Database(path, busy_seconds=busy_seconds)
        self._counts = DurationCounts(self._database)
        self._quarantine = Quarantine(self._database)

    def reserve_call(self, connection: str, calls_per_minute: float, now: datetime) -> datetime:
        with self._database.writing_quickly() as db:
            row = db.execute(
                "SELECT last_place, silent_until FROM call_lines WHERE connection = ?",
                (connection,),
            ).fetchone()
            last, silent_until = row or (None, None)
            earliest = now if silent_until is None else max(now, moment(silent_until))
            last_place = None if last is None else moment(last)
            place = next_place(last_place, earliest, spacing_seconds(calls_per_minute))
            db.execute(
                "INSERT INTO call_lines (connection, last_place) VALUES (?1, ?2)"
                " ON CONFLICT (connection) DO UPDATE SET last_place = ?2",
                (connection, micros(place)),
            )
        return place

    def hold_calls(self, connection: str, until: datetime) -> None:
        with self._database.writing_quickly() as db:
            db.execute(
                "INSERT INTO call_lines (connection, silent_until) VALUES (?1, ?2)"
                " ON CONFLICT (connection) DO UPDATE"
                " SET silent_until = max(coalesce(silent_until, 0), ?2)",
                (connection, micros(until)),
            )

    def lift_silence(self, connection: str) -> None:
        self._database.write_quickly("DELETE FROM call_lines WHERE connection = ?", (connection,))

    def durations(self, keys: Sequence[str]) -> DurationHistory:
        return self._counts.read(keys)

    def purge_expired(self, now: datetime) -> int:
        old_deliveries = "DELETE FROM outbox WHERE rowid IN (SELECT rowid FROM outbox"
        purged = self._purge(
            f"{old_deliveries} WHERE done_at <= ? LIMIT ?)", micros(now - DELIVERIES_KEPT)
        )
        old_tokens = "DELETE FROM tokens WHERE (project, key) IN (SELECT project, key FROM tokens"
        return purged + self._purge(f"{old_tokens} WHERE expires_at <= ? LIMIT ?)", micros(now))

    def unreadable(self) -> Mapping[RecordKind, int]:
        return self._quarantine.count()

    def readmit(self) -> int:
        return self._quarantine.readmit()

    def close(self) -> None:
        self._database.close()

    def _purge(self, statement: str, before: int) -> int:
        """In small transactions, so that a poll never waits long for its turn to write."""
        purged = 0
        while True:
            with self._database.writing_quickly() as db:
                count = db.execute(statement, (before, _PURGED_AT_ONCE)).rowcount
            purged += count
            if count < _PURGED_AT_ONCE:
                return purged
