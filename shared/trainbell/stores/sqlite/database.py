"""One SQLite file (WAL) shared by the threads of one process: connections and transactions.

One thread writes at a time, guarded by a lock, so that writers never race for SQLite's own lock.
Two writing connections differ in one setting only: `durable` syncs every commit to the disk
(synchronous=FULL); the other one leaves that to the next checkpoint (NORMAL), so a power cut may
take its latest commits, a killed process none. A sync of either covers all earlier commits, because
both write the same log (https://sqlite.org/pragma.html#pragma_synchronous).

Readers never wait for a writer. They use as many connections as were ever needed at once.
"""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from trainbell.errors import StoreUnavailable
from trainbell.stores.sqlite.errors import require_writable, store_error
from trainbell.stores.sqlite.group_commit import GroupCommit, Operation, Result
from trainbell.stores.sqlite.schema import migrate

WRITER_CACHE_KIB = 2048
READER_CACHE_KIB = 256
LOG_SIZE_LIMIT_BYTES = 64 * 1024 * 1024

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """A time as it is stored: whole microseconds since 1970, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


class Database:
    """Opens (or makes) the file and brings its schema up to date.

    `busy_seconds`: how long to wait for another process that holds SQLite's lock.

    Raises:
        StoreTooNew: a newer Trainbell wrote it.
        StoreFull: it, or its directory, cannot be written.
        StoreUnavailable: it is locked, damaged, or no database.
    """

    def __init__(self, path: Path, *, busy_seconds: float = 5.0) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._idle_readers: deque[sqlite3.Connection] = deque()
        self._closed = False
        require_writable(path)
        _make_private(path)
        with self._mapped_errors():
            self._durable = self._open("FULL", WRITER_CACHE_KIB)
            try:
                migrate(self._durable, path)
                self._quick = self._open("NORMAL", WRITER_CACHE_KIB)
            except BaseException:
                self._durable.close()
                raise
        self._group_commit = GroupCommit(self._durable, self._lock)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading. Fetch all rows within: an open cursor holds its snapshot."""
        with self._mapped_errors():
            connection = self._reader()
            try:
                yield connection
            finally:
                self._idle_readers.append(connection)
                if self._closed:
                    self._close_readers()

    def write_durably(self, operation: Operation[Result]) -> Result:
        """Run it in a transaction that is on the disk when this returns; any exception undoes it.

        The operation may share that transaction with those of other threads, one after another.
        """
        with self._mapped_errors():
            self._require_open()
            return self._group_commit.run(operation)

    @contextmanager
    def writing_quickly(self) -> Iterator[sqlite3.Connection]:
        """One transaction, not durable: committed after the block, undone by any exception."""
        with self._mapped_errors(), self._lock:
            self._require_open()
            self._quick.execute("BEGIN IMMEDIATE")
            try:
                yield self._quick
                self._quick.execute("COMMIT")
            except BaseException:
                # SQLite has undone it by itself after some errors, such as a full disk.
                if self._quick.in_transaction:
                    self._quick.execute("ROLLBACK")
                raise

    def write_quickly(self, statement: str, values: tuple[Any, ...]) -> int:
        """One statement as its own such transaction. Returns the number of rows changed."""
        with self._mapped_errors(), self._lock:
            self._require_open()
            return self._quick.execute(statement, values).rowcount

    def close(self) -> None:
        """Wait for the writer at work, then close. Later calls raise StoreUnavailable."""
        with self._lock:
            self._closed = True
            self._close_readers()
            self._quick.close()
            self._durable.close()

    def _reader(self) -> sqlite3.Connection:
        self._require_open()
        try:
            return self._idle_readers.pop()
        except IndexError:
            return self._open("NORMAL", READER_CACHE_KIB)

    def _require_open(self) -> None:
        if self._closed:
            raise StoreUnavailable(f"the database {self.path} has been closed")

    def _close_readers(self) -> None:
        while self._idle_readers:
            self._idle_readers.pop().close()

    def _open(self, synchronous: str, cache_kib: int) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=self._busy_seconds,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=64,
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute(f"PRAGMA cache_size = -{cache_kib}")
            connection.execute(f"PRAGMA journal_size_limit = {LOG_SIZE_LIMIT_BYTES}").fetchall()
            connection.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _mapped_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise store_error(exc, self.path) from exc


def _make_private(path: Path) -> None:
    """For the owner alone, made or found; SQLite gives the files beside it the same mode."""
    with suppress(OSError):  # SQLite fails at the same, and that is said in our words.
        path.touch(mode=0o600)
    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        with suppress(OSError):
            mode = stat.S_IMODE(file.stat().st_mode)
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                file.chmod(mode & stat.S_IRWXU)
