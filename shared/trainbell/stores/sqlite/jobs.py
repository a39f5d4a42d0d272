"""Jobs with their events, holds and tokens in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import itemgetter

from trainbell.domain.events import JobEvent
from trainbell.domain.job import ACTIVE_STATES, Job, State
from trainbell.errors import (
    HoldTaken,
    IdempotencyConflict,
    JobConflict,
    NotFound,
    RecordUnreadable,
)
from trainbell.ports import Change, DueJob, IdempotencyToken, JobQuery, Page, RecordKind
from trainbell.stores.codec import dump_event, dump_job, load_event, load_job
from trainbell.stores.cursors import read_cursor, write_cursor
from trainbell.stores.sqlite.database import Database, micros, moment
from trainbell.stores.sqlite.history import DurationCounts
from trainbell.stores.sqlite.listing import cursor_after, select_page
from trainbell.stores.sqlite.outbox import add_entries
from trainbell.stores.sqlite.quarantine import Quarantine, forget

PAGE = 500

# Leaves the indexed columns alone: only the index of due jobs changes with it.
_BOOKKEEP = """UPDATE jobs SET due_at = ?, revision = revision + 1, body = ?
    WHERE id = ? AND revision = ? AND state = ?"""
_SAVE = """UPDATE jobs SET due_at = ?, revision = revision + 1, body = ?, state = ?
    WHERE id = ? AND revision = ?"""
# Skips from each connection to the next in the index, however many jobs each has.
_CONNECTIONS = """WITH RECURSIVE found (name) AS (
        SELECT min(connection) FROM jobs WHERE due_at IS NOT NULL
        UNION ALL
        SELECT (SELECT min(connection) FROM jobs WHERE due_at IS NOT NULL AND connection > name)
        FROM found WHERE name IS NOT NULL
    ) SELECT name FROM found WHERE name IS NOT NULL"""
_DUE = """SELECT id, connection, due_at FROM jobs
    WHERE connection = ? AND due_at IS NOT NULL AND due_at <= ? ORDER BY due_at LIMIT ?"""
_WATCHED = """SELECT id, connection, due_at FROM jobs WHERE due_at IS NOT NULL
    AND (connection, due_at, id) > (?, ?, ?) ORDER BY connection, due_at, id LIMIT ?"""
_ACTIVE = """SELECT id, connection, due_at FROM jobs WHERE connection = ?
    AND due_at IS NOT NULL AND state != ? ORDER BY due_at DESC LIMIT ?"""
_FIRST_DUE = "SELECT min(due_at) FROM jobs WHERE connection = ? AND due_at IS NOT NULL"
_COUNT = """SELECT count(*) FROM jobs WHERE state = ?1
    AND id NOT IN (SELECT id FROM quarantine WHERE kind = 'job')"""
_INSERT = """INSERT INTO jobs (id, project, state, provider, connection, kind, model, dataset,
    created_at, due_at, revision, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


class SqliteJobs:
    """See `ports.JobStore` for what is promised."""

    _database: Database
    _counts: DurationCounts
    _quarantine: Quarantine

    def create(self, change: Change, token: IdempotencyToken | None = None) -> tuple[Job, bool]:
        job = replace(change.job, revision=change.job.revision + 1)
        body = dump_job(job)

        def store(db: sqlite3.Connection) -> tuple[Job, bool]:
            earlier = token and _job_of_token(db, token, job.created_at)
            if earlier:
                return earlier, False
            if token:
                _keep_token(db, token, job.id)
            _insert(db, job, body)
            self._write_rest(db, change)
            return job, True

        stored = self._database.write_durably(store)
        self._counts.forget(change.duration_keys)
        return stored

    def save(self, change: Change) -> Job:
        job = replace(change.job, revision=change.job.revision + 1)
        body, due_at, read = dump_job(job), _due_at(job), change.job.revision
        if _is_bookkeeping(change):
            known = (job.id, read, job.state.value)
            if self._database.write_quickly(_BOOKKEEP, (due_at, body, *known)):
                return job

        def store(db: sqlite3.Connection) -> None:
            if not db.execute(_SAVE, (due_at, body, job.state.value, job.id, read)).rowcount:
                raise JobConflict(f"job {job.id} has changed since revision {read} was read")
            self._write_rest(db, change)

        self._database.write_durably(store)
        self._counts.forget(change.duration_keys)
        return job

    def get(self, job_id: str) -> Job:
        with self._database.reading() as db:
            row = db.execute("SELECT body FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no job {job_id}")
        try:
            return load_job(row[0], job_id)
        except RecordUnreadable as error:
            self._quarantine.set_aside(RecordKind.JOB, job_id, error)
            raise

    def find_by_hold(self, key: str) -> str | None:
        with self._database.reading() as db:
            return _holder(db, key)

    def list(self, query: JobQuery) -> Page[Job]:
        statement, values = select_page(query)
        with self._database.reading() as db:
            rows = db.execute(statement, values).fetchall()
        shown = rows[: query.limit]
        bodies = ((job_id, body) for _, job_id, body in shown)
        jobs, unreadable = self._quarantine.readable(RecordKind.JOB, bodies, load_job)
        if len(rows) <= query.limit:
            return Page(tuple(jobs), unreadable=unreadable)
        created_at, job_id, _ = shown[-1]
        return Page(tuple(jobs), cursor_after(query, created_at, job_id), unreadable)

    def events(self, job_id: str, *, limit: int, cursor: str | None = None) -> Page[JobEvent]:
        scope = f"events of {job_id}"
        after = read_cursor(cursor, scope, (int,))[0] if cursor is not None else 0
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT sequence, body FROM events WHERE job_id = ? AND sequence > ?"
                " ORDER BY sequence LIMIT ?",
                (job_id, after, limit + 1),
            ).fetchall()
        shown = rows[:limit]
        more = write_cursor(scope, (shown[-1][0],)) if len(rows) > limit else None
        events, unreadable = [], []
        for sequence, body in shown:
            try:
                events.append(load_event(body, job_id, sequence))
            except RecordUnreadable as error:
                unreadable.append(error.record)
        return Page(tuple(events), more, tuple(unreadable))

    def delete(self, job: Job) -> None:
        self._database.write_durably(lambda db: _delete(db, job))

    def due(
        self, now: datetime, limit: int, *, per_connection: Callable[[str], int] | None = None
    ) -> Sequence[DueJob]:
        most = per_connection or (lambda _: limit)
        with self._database.reading() as db:
            rows = [
                row
                for connection in _connections(db)
                for row in db.execute(_DUE, (connection, micros(now), min(limit, most(connection))))
            ]
        rows.sort(key=itemgetter(2))
        return [DueJob(job_id, connection, moment(at)) for job_id, connection, at in rows[:limit]]

    def watched(self) -> Iterator[DueJob]:
        connection, at, job_id = "", 0, ""
        while True:
            with self._database.reading() as db:
                rows = db.execute(_WATCHED, (connection, at, job_id, PAGE)).fetchall()
            yield from (DueJob(job_id, name, moment(at)) for job_id, name, at in rows)
            if len(rows) < PAGE:
                return
            job_id, connection, at = rows[-1]

    def active(self, connection: str, limit: int) -> Sequence[DueJob]:
        with self._database.reading() as db:
            rows = db.execute(_ACTIVE, (connection, State.LOST.value, limit)).fetchall()
        return [DueJob(job_id, name, moment(at)) for job_id, name, at in rows]

    def next_due_at(self) -> datetime | None:
        with self._database.reading() as db:
            first = [db.execute(_FIRST_DUE, (each,)).fetchone()[0] for each in _connections(db)]
        return moment(min(first)) if first else None

    def count_by_state(self, project: str | None = None) -> Mapping[State, int]:
        counts = {}
        with self._database.reading() as db:
            for state in ACTIVE_STATES:
                row = db.execute(
                    _COUNT if project is None else f"{_COUNT} AND project = ?2",
                    (state.value,) if project is None else (state.value, project),
                ).fetchone()
                if row[0]:
                    counts[state] = int(row[0])
        return counts

    def _write_rest(self, db: sqlite3.Connection, change: Change) -> None:
        job_id = change.job.id
        db.executemany(
            "DELETE FROM holds WHERE key = ? AND job_id = ?",
            [(key, job_id) for key in change.release],
        )
        for key in change.take:
            _take(db, key, job_id)
        db.executemany(
            "INSERT INTO events (job_id, sequence, body) VALUES (?, ?, ?)",
            [(event.job_id, event.sequence, dump_event(event)) for event in change.events],
        )
        add_entries(db, change.outbox)
        if change.duration_bin is not None:
            self._counts.add(db, change.duration_keys, change.duration_bin)


def _is_bookkeeping(change: Change) -> bool:
    return not (
        change.events or change.outbox or change.take or change.release or change.duration_keys
    )


def _insert(db: sqlite3.Connection, job: Job, body: bytes) -> None:
    asked = (
        job.order.provider,
        job.order.connection,
        job.order.kind,
        job.order.model,
        job.order.dataset,
    )
    values = (job.id, job.order.project, job.state.value, *asked, micros(job.created_at))
    seq = db.execute(_INSERT, (*values, _due_at(job), job.revision, body)).lastrowid
    db.executemany(
        "INSERT INTO job_tags (key, value, seq) VALUES (?, ?, ?)",
        [(key, value, seq) for key, value in job.order.tags.items()],
    )


def _delete(db: sqlite3.Connection, job: Job) -> None:
    known = (job.id, job.revision)
    row = db.execute("SELECT seq FROM jobs WHERE id = ? AND revision = ?", known).fetchone()
    if row is None:
        raise JobConflict(f"job {job.id} has changed since revision {job.revision} was read")
    db.execute("DELETE FROM jobs WHERE seq = ?", row)
    db.executemany(
        "DELETE FROM job_tags WHERE key = ? AND value = ? AND seq = ?",
        [(key, value, row[0]) for key, value in job.order.tags.items()],
    )
    db.execute("DELETE FROM events WHERE job_id = ?", (job.id,))
    db.execute("DELETE FROM outbox WHERE job_id = ?", (job.id,))
    db.execute("DELETE FROM holds WHERE job_id = ?", (job.id,))
    forget(db, RecordKind.JOB, job.id)


def _due_at(job: Job) -> int | None:
    return None if job.due_at is None else micros(job.due_at)


def _job_of_token(db: sqlite3.Connection, token: IdempotencyToken, now: datetime) -> Job | None:
    row = db.execute(
        "SELECT fingerprint, expires_at, tokens.job_id, body FROM tokens"
        " LEFT JOIN jobs ON jobs.id = tokens.job_id WHERE tokens.project = ? AND key = ?",
        (token.project, token.key),
    ).fetchone()
    if row is None or row[1] <= micros(now):
        return None
    fingerprint, _, job_id, body = row
    if fingerprint != token.fingerprint:
        raise IdempotencyConflict(
            f"the idempotency key {token.key!r} was used with other input, for job {job_id}"
        )
    if body is None:
        raise IdempotencyConflict(
            f"the idempotency key {token.key!r} was used for job {job_id}, deleted since"
        )
    return load_job(body, job_id)


def _keep_token(db: sqlite3.Connection, token: IdempotencyToken, job_id: str) -> None:
    db.execute(
        "REPLACE INTO tokens (project, key, fingerprint, job_id, expires_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (token.project, token.key, token.fingerprint, job_id, micros(token.expires_at)),
    )


def _take(db: sqlite3.Connection, key: str, job_id: str) -> None:
    holder = _holder(db, key)
    if holder is None:
        db.execute("INSERT INTO holds (key, job_id) VALUES (?, ?)", (key, job_id))
    elif holder != job_id:
        raise HoldTaken(key, holder)


def _holder(db: sqlite3.Connection, key: str) -> str | None:
    row = db.execute("SELECT job_id FROM holds WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def _connections(db: sqlite3.Connection) -> list[str]:
    """Those with active jobs."""
    return [row[0] for row in db.execute(_CONNECTIONS)]
