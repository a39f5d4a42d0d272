"""`trainbell up` and a database that somebody else has locked."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from trainbell.embedded.up import begin
from trainbell.errors import StoreUnavailable
from trainbell.stores.sqlite.store import SqliteStore


class Patience(threading.Event):
    """An event whose waits take no time; it is set after so many of them."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.waits = waits

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits -= 1
        return self.waits < 0


class Instance:
    """Locked out for the first few attempts."""

    def __init__(self, attempts: list[None], locked_for: int) -> None:
        self.attempts, self.locked_for = attempts, locked_for

    def __enter__(self) -> Instance:
        self.attempts.append(None)
        if len(self.attempts) <= self.locked_for:
            raise StoreUnavailable("the database is locked by another process", is_locked=True)
        return self

    def __exit__(self, *_: object) -> None: ...


def test_it_waits_for_the_lock_says_so_once_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    attempts: list[None] = []
    make: Any = lambda: Instance(attempts, locked_for=3)  # noqa: E731
    with ExitStack() as stack:
        assert begin(stack, make, Patience(waits=10)) is not None
    assert len(attempts) == 4
    assert capsys.readouterr().err.count("locked by another process") == 1


def test_a_signal_ends_the_wait() -> None:
    attempts: list[None] = []
    make: Any = lambda: Instance(attempts, locked_for=99)  # noqa: E731
    with ExitStack() as stack:
        assert begin(stack, make, Patience(waits=2)) is None
    assert len(attempts) == 3


def test_other_trouble_is_not_waited_for() -> None:
    def make() -> Any:
        raise StoreUnavailable("the database is damaged")

    with ExitStack() as stack, pytest.raises(StoreUnavailable, match="damaged"):
        begin(stack, make, Patience(waits=0))


def test_the_store_says_that_it_is_locked(tmp_path: Path) -> None:
    path = tmp_path / "trainbell.sqlite3"
    SqliteStore(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreUnavailable) as refusal:
            SqliteStore(path, busy_seconds=0.0)
    finally:
        other.close()
    assert refusal.value.is_locked
    (tmp_path / "damaged").write_bytes(b"no database " * 1000)
    with pytest.raises(StoreUnavailable) as refusal:
        SqliteStore(tmp_path / "damaged")
    assert not refusal.value.is_locked
