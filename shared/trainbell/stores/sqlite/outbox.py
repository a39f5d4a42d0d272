"""What is still to be told, and the record of what was, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from trainbell.domain.outbox import DeliveryState, OutboxEntry
from trainbell.ports import RecordKind
from trainbell.stores.codec import dump_entry, load_entry
from trainbell.stores.sqlite.database import Database, micros, moment
from trainbell.stores.sqlite.quarantine import Quarantine


class SqliteOutbox:
    """See `ports.OutboxStore` for what is promised."""

    _database: Database
    _quarantine: Quarantine

    def claim_outbox(
        self, now: datetime, lease_seconds: float, limit: int
    ) -> Sequence[OutboxEntry]:
        due = self.next_outbox_due_at()
        if due is None or due > now:
            return []
        lease_end = micros(now + timedelta(seconds=lease_seconds))
        # Not durable: a lease that is lost with the power only makes the entry due again sooner.
        with self._database.writing_quickly() as db:
            rows = db.execute(
                "SELECT id, claim, body FROM outbox WHERE ready_at <= ?"
                " ORDER BY ready_at, created_at, id LIMIT ?",
                (micros(now), limit),
            ).fetchall()
            db.executemany(
                "UPDATE outbox SET claim = claim + 1, ready_at = ? WHERE id = ?",
                [(lease_end, entry_id) for entry_id, _, _ in rows],
            )
        return self._entries([(entry_id, claim + 1, body) for entry_id, claim, body in rows])

    def settle_outbox(self, entry: OutboxEntry, *, replaced_by: Sequence[OutboxEntry] = ()) -> bool:
        claimed = (entry.id, entry.claim)

        def remove(db: sqlite3.Connection) -> bool:
            mine = "DELETE FROM outbox WHERE id = ? AND claim = ? AND ready_at IS NOT NULL"
            if not db.execute(mine, claimed).rowcount:
                return False
            add_entries(db, replaced_by)
            return True

        def update(db: sqlite3.Connection) -> bool:
            values = (_ready_at(entry), _done_at(entry), dump_entry(entry), *claimed)
            mine = (
                "UPDATE outbox SET ready_at = ?, done_at = ?, body = ?"
                " WHERE id = ? AND claim = ? AND ready_at IS NOT NULL"
            )
            return bool(db.execute(mine, values).rowcount)

        gone = bool(replaced_by) or entry.channel is None
        return self._database.write_durably(remove if gone else update)

    def next_outbox_due_at(self) -> datetime | None:
        with self._database.reading() as db:
            row = db.execute(
                "SELECT min(ready_at) FROM outbox WHERE ready_at IS NOT NULL"
            ).fetchone()
        return None if row[0] is None else moment(row[0])

    def pending(self, channel: str, limit: int) -> Sequence[OutboxEntry]:
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT id, claim, body FROM outbox WHERE channel = ? AND ready_at IS NOT NULL"
                " ORDER BY created_at, id LIMIT ?",
                (channel, limit),
            ).fetchall()
        return self._entries(rows)

    def requeue(self, entry: OutboxEntry) -> bool:
        def update(db: sqlite3.Connection) -> bool:
            done = "UPDATE outbox SET ready_at = ?, done_at = NULL, body = ? WHERE id = ?"
            values = (_ready_at(entry), dump_entry(entry), entry.id)
            return bool(db.execute(f"{done} AND ready_at IS NULL", values).rowcount)

        return self._database.write_durably(update)

    def untold(self, job_id: str) -> int:
        with self._database.reading() as db:
            row = db.execute(
                "SELECT count(*) FROM outbox WHERE job_id = ? AND (ready_at IS NOT NULL"
                " OR id IN (SELECT id FROM quarantine WHERE kind = ?))",
                (job_id, RecordKind.OUTBOX_ENTRY.value),
            ).fetchone()
        return int(row[0])

    def deliveries(self, job_id: str) -> Sequence[OutboxEntry]:
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT id, claim, body FROM outbox WHERE job_id = ? AND channel IS NOT NULL"
                " ORDER BY created_at, id",
                (job_id,),
            ).fetchall()
        return self._entries(rows)

    def entries(self, job_id: str) -> Sequence[OutboxEntry]:
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT id, claim, body FROM outbox WHERE job_id = ? ORDER BY id", (job_id,)
            ).fetchall()
        return self._entries(rows)

    def _entries(self, rows: Sequence[tuple[str, int, bytes]]) -> Sequence[OutboxEntry]:
        """Of (id, claim, body); what cannot be read is set aside."""
        claims = {entry_id: claim for entry_id, claim, _ in rows}
        bodies = ((entry_id, body) for entry_id, _, body in rows)
        entries, _ = self._quarantine.readable(RecordKind.OUTBOX_ENTRY, bodies, load_entry)
        return [replace(entry, claim=claims[entry.id]) for entry in entries]


def add_entries(db: sqlite3.Connection, entries: Iterable[OutboxEntry]) -> None:
    """Add them within a transaction; those that exist are left alone."""
    db.executemany(
        "INSERT INTO outbox (id, job_id, channel, created_at, ready_at, done_at, claim, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        [
            (
                entry.id,
                entry.event.job_id,
                entry.channel,
                micros(entry.created_at),
                _ready_at(entry),
                _done_at(entry),
                entry.claim,
                dump_entry(entry),
            )
            for entry in entries
        ],
    )


def _ready_at(entry: OutboxEntry) -> int | None:
    return micros(entry.due_at) if entry.state is DeliveryState.PENDING else None


def _done_at(entry: OutboxEntry) -> int | None:
    return None if entry.done_at is None else micros(entry.done_at)
