"""Durable writes that arrive together share one commit, and so one sync of the disk."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from trainbell.errors import StoreUnavailable

Result = TypeVar("Result")
Operation = Callable[[sqlite3.Connection], Result]

JOINED_AT_MOST = 64


class _Turn:
    """One thread's operation, and what became of it once the common transaction is over."""

    __slots__ = ("error", "is_over", "operation", "result")

    def __init__(self, operation: Operation[Any]) -> None:
        self.operation = operation
        self.result: Any = None
        self.error: Exception | None = None
        self.is_over = False


class GroupCommit:
    """A queue before the writers' lock.

    Whoever gets the lock runs all operations that wait by then, each in a savepoint of one
    transaction, and commits. The others find their operation done when the lock is theirs.
    """

    def __init__(self, connection: sqlite3.Connection, lock: threading.Lock) -> None:
        self._connection = connection
        self._lock = lock
        self._waiting: deque[_Turn] = deque()

    def run(self, operation: Operation[Result]) -> Result:
        """The operation's result, once it is on the disk; or its exception, with nothing written.

        An operation fails alone, unless the transaction itself fails: then all in it do.
        """
        turn = _Turn(operation)
        self._waiting.append(turn)
        with self._lock:
            while not turn.is_over:
                count = min(len(self._waiting), JOINED_AT_MOST)
                self._commit([self._waiting.popleft() for _ in range(count)])
        if turn.error is not None:
            raise turn.error
        result: Result = turn.result
        return result

    def _commit(self, turns: Sequence[_Turn]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for turn in turns:
                self._attempt(turn)
            self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            self._undo(turns, exc)
        except BaseException:
            self._undo(turns, StoreUnavailable("the write was interrupted; nothing was written"))
            raise
        finally:
            for turn in turns:
                turn.is_over = True

    def _attempt(self, turn: _Turn) -> None:
        self._connection.execute("SAVEPOINT turn")
        try:
            turn.result = turn.operation(self._connection)
        except Exception as exc:
            # After some errors, such as a full disk, SQLite has undone the whole transaction.
            if not self._connection.in_transaction:
                raise
            turn.error = exc
            self._connection.execute("ROLLBACK TO turn")
        self._connection.execute("RELEASE turn")

    def _undo(self, turns: Sequence[_Turn], error: Exception) -> None:
        for turn in turns:
            turn.error = turn.error or error
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
