"""The tables, and how an older file becomes a current one.

`PRAGMA user_version` counts the migrations that a file has seen. A migration is never edited after
its release; a change is a new one at the end.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from trainbell.errors import StoreTooNew

# Times are microseconds since 1970. `due_at` is null once a job has ended. `ready_at` is null once
# a delivery is done; until then it is when the entry may be claimed (again). `body` comes last, so
# that a look at the columns never reads a long one.
_FIRST = (
    """CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        project TEXT NOT NULL,
        state TEXT NOT NULL,
        provider TEXT NOT NULL,
        connection TEXT NOT NULL,
        kind TEXT NOT NULL,
        model TEXT,
        dataset TEXT,
        created_at INTEGER NOT NULL,
        due_at INTEGER,
        revision INTEGER NOT NULL,
        body BLOB NOT NULL
    )""",
    "CREATE INDEX jobs_by_time ON jobs (project, created_at, id)",
    "CREATE INDEX jobs_by_state ON jobs (state, project, created_at, id)",
    "CREATE INDEX jobs_by_provider ON jobs (project, provider, created_at, id)",
    "CREATE INDEX jobs_by_kind ON jobs (project, kind, created_at, id)",
    """CREATE INDEX jobs_by_model ON jobs (project, model, created_at, id)
        WHERE model IS NOT NULL""",
    """CREATE INDEX jobs_by_dataset ON jobs (project, dataset, created_at, id)
        WHERE dataset IS NOT NULL""",
    # By connection first: jobs of a service that hangs must not stand before all others.
    "CREATE INDEX jobs_due ON jobs (connection, due_at) WHERE due_at IS NOT NULL",
    """CREATE TABLE job_tags (
        key TEXT NOT NULL, value TEXT NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (key, value, seq)
    ) WITHOUT ROWID""",
    """CREATE TABLE events (
        job_id TEXT NOT NULL, sequence INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (job_id, sequence)
    ) WITHOUT ROWID""",
    "CREATE TABLE holds (key TEXT PRIMARY KEY, job_id TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX holds_by_job ON holds (job_id)",
    """CREATE TABLE tokens (
        project TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL,
        job_id TEXT NOT NULL, expires_at INTEGER NOT NULL,
        PRIMARY KEY (project, key)
    ) WITHOUT ROWID""",
    "CREATE INDEX tokens_by_expiry ON tokens (expires_at)",
    """CREATE TABLE outbox (
        id TEXT NOT NULL PRIMARY KEY,
        job_id TEXT NOT NULL,
        channel TEXT,
        created_at INTEGER NOT NULL,
        ready_at INTEGER,
        done_at INTEGER,
        claim INTEGER NOT NULL,
        body BLOB NOT NULL
    )""",
    "CREATE INDEX outbox_ready ON outbox (ready_at) WHERE ready_at IS NOT NULL",
    "CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at IS NOT NULL",
    "CREATE INDEX outbox_by_job ON outbox (job_id, created_at, id)",
    """CREATE TABLE config (
        kind TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (kind, name)
    ) WITHOUT ROWID""",
    """CREATE TABLE call_lines (
        connection TEXT PRIMARY KEY, last_place INTEGER, silent_until INTEGER
    ) WITHOUT ROWID""",
    """CREATE TABLE durations (
        key TEXT NOT NULL, bin INTEGER NOT NULL, jobs INTEGER NOT NULL,
        PRIMARY KEY (key, bin)
    ) WITHOUT ROWID""",
)

# What cannot be read, with the time at which it would be due (null: none). See `quarantine`.
_QUARANTINE = (
    """CREATE TABLE quarantine (
        kind TEXT NOT NULL, id TEXT NOT NULL, due_at INTEGER,
        PRIMARY KEY (kind, id)
    ) WITHOUT ROWID""",
)

# An export takes a job's keys along.
_TOKENS_BY_JOB = ("CREATE INDEX tokens_by_job ON tokens (job_id)",)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _QUARANTINE, _TOKENS_BY_JOB)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file to the current version, whole or not at all.

    The version is written each time: that proves that the file can be written.

    Raises:
        StoreTooNew: the file has seen migrations that this Trainbell does not know.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = require_known(connection, path)
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def require_known(connection: sqlite3.Connection, path: Path) -> int:
    """The file's version. Raises StoreTooNew."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise StoreTooNew(
            f"the database {path} has version {version}, written by a newer Trainbell; "
            f"this one knows {len(MIGRATIONS)}: use the newer Trainbell, or another directory"
        )
    return version
