"""Durable writes that wait for the lock together are committed together, and fail alone."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pytest

from trainbell.stores.sqlite.group_commit import GroupCommit, Operation

WRITERS = 6


class WatchedLock:
    """A lock that tells when somebody comes to wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.arrivals = threading.Semaphore(0)

    def __enter__(self) -> None:
        self.arrivals.release()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@contextmanager
def a_table() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    with closing(connection):
        connection.execute("CREATE TABLE written (number INTEGER UNIQUE)")
        yield connection


def written(connection: sqlite3.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT number FROM written ORDER BY number")]


def insert(number: int, error: Exception | None = None) -> Operation[int]:
    def operation(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO written VALUES (?)", (number,))
        if error is not None:
            raise error
        return number

    return operation


def run_together(
    connection: sqlite3.Connection, operations: list[Operation[int]]
) -> tuple[list[Future[int]], list[str]]:
    """Let all of them wait, then let them go. Also gives the statements that were run."""
    statements: list[str] = []
    lock: Any = WatchedLock()
    group = GroupCommit(connection, lock)
    with ThreadPoolExecutor(len(operations)) as pool, lock:
        lock.arrivals.acquire()
        connection.set_trace_callback(statements.append)
        futures = [pool.submit(group.run, operation) for operation in operations]
        for _ in operations:
            lock.arrivals.acquire()
    connection.set_trace_callback(None)
    return futures, statements


def test_those_that_wait_share_one_commit() -> None:
    with a_table() as connection:
        futures, statements = run_together(connection, [insert(n) for n in range(WRITERS)])
        assert [future.result() for future in futures] == list(range(WRITERS))
        assert written(connection) == list(range(WRITERS))
        assert statements.count("COMMIT") == statements.count("BEGIN IMMEDIATE") == 1


def test_one_that_fails_is_undone_alone() -> None:
    with a_table() as connection:
        operations = [insert(0), insert(1, ValueError("mine")), insert(0), insert(3)]
        futures, _ = run_together(connection, operations)
        with pytest.raises(ValueError, match="mine"):
            futures[1].result()
        twice = [f for f in (futures[0], futures[2]) if f.exception() is not None]
        assert [type(future.exception()) for future in twice] == [sqlite3.IntegrityError]
        assert futures[3].result() == 3
        assert written(connection) == [0, 3]


def test_where_the_transaction_fails_all_fail_and_nothing_is_written() -> None:
    def undo_all(db: sqlite3.Connection) -> int:
        # As SQLite does by itself when the disk is full.
        db.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    with a_table() as connection:
        futures, _ = run_together(connection, [insert(0), undo_all, insert(2)])
        for future in futures:
            with pytest.raises(sqlite3.OperationalError, match="disk is full"):
                future.result()
        assert written(connection) == []
        assert not connection.in_transaction
        assert GroupCommit(connection, threading.Lock()).run(insert(5)) == 5
