"""All that SQLite has of a job, read and written part by part, for exports and for care."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from trainbell.domain.job import Job
from trainbell.errors import JobConflict
from trainbell.ports import History, IdempotencyToken
from trainbell.stores.codec import dump_entry, dump_event, dump_job
from trainbell.stores.sqlite.database import Database, micros, moment
from trainbell.stores.sqlite.outbox import add_entries

# Skips from each project to the next in the index, however many jobs each has.
_PROJECTS = """WITH RECURSIVE found (name) AS (
        SELECT min(project) FROM jobs
        UNION ALL
        SELECT (SELECT min(project) FROM jobs WHERE project > name)
        FROM found WHERE name IS NOT NULL
    ) SELECT name FROM found WHERE name IS NOT NULL"""
_TOKENS = "SELECT project, key, fingerprint, expires_at FROM tokens WHERE job_id = ? ORDER BY key"
_KEEP_EVENT = """INSERT INTO events (job_id, sequence, body) VALUES (?, ?, ?)
    ON CONFLICT DO NOTHING"""
# A key whose time is over is as good as none.
_KEEP_KEY = """INSERT INTO tokens (project, key, fingerprint, job_id, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (project, key) DO UPDATE
    SET fingerprint = ?3, job_id = ?4, expires_at = ?5 WHERE expires_at < ?5"""
_REWRITE = "UPDATE jobs SET revision = revision + 1, body = ? WHERE id = ? AND revision = ?"


class SqliteArchive:
    """See `ports.ArchiveStore` for what is promised."""

    _database: Database

    def projects(self) -> Sequence[str]:
        with self._database.reading() as db:
            return [str(row[0]) for row in db.execute(_PROJECTS)]

    def tokens(self, job_id: str) -> Sequence[IdempotencyToken]:
        with self._database.reading() as db:
            rows = db.execute(_TOKENS, (job_id,)).fetchall()
        return [IdempotencyToken(row[0], row[1], row[2], moment(row[3])) for row in rows]

    def keep(self, job_id: str, history: History) -> None:
        def store(db: sqlite3.Connection) -> None:
            events = ((job_id, each.sequence, dump_event(each)) for each in history.events)
            db.executemany(_KEEP_EVENT, events)
            add_entries(db, history.entries)
            for token in history.tokens:
                named = (token.project, token.key, token.fingerprint)
                db.execute(_KEEP_KEY, (*named, job_id, micros(token.expires_at)))

        self._database.write_durably(store)

    def rewrite(self, job: Job, history: History) -> None:
        body = dump_job(replace(job, revision=job.revision + 1))

        def store(db: sqlite3.Connection) -> None:
            if not db.execute(_REWRITE, (body, job.id, job.revision)).rowcount:
                raise JobConflict(f"job {job.id} has changed since it was read")
            db.executemany(
                "UPDATE events SET body = ? WHERE job_id = ? AND sequence = ?",
                [(dump_event(each), job.id, each.sequence) for each in history.events],
            )
            db.executemany(
                "UPDATE outbox SET body = ? WHERE id = ?",
                [(dump_entry(each), each.id) for each in history.entries],
            )

        self._database.write_durably(store)
