"""What only the SQLite store can meet: files, disks, other processes, older and newer versions."""

from __future__ import annotations

import os
import resource
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import NOON, a_connection, changed
from tests.contract.store_builders import (
    a_delivery,
    a_token,
    after,
    an_event,
    at_once,
    job_number,
    stored,
)
from trainbell.domain.outbox import delivered
from trainbell.domain.settings import Connection
from trainbell.errors import NotFound, StoreFull, StoreTooNew, StoreUnavailable
from trainbell.ports import Change, JobQuery
from trainbell.stores.sqlite.errors import store_error
from trainbell.stores.sqlite.schema import MIGRATIONS
from trainbell.stores.sqlite.store import SqliteStore

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trainbell.db"


@contextmanager
def opened(path: Path, *, busy_seconds: float = 5.0) -> Iterator[SqliteStore]:
    store = SqliteStore(path, busy_seconds=busy_seconds)
    try:
        yield store
    finally:
        store.close()


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


# ---------------------------------------------------------------- restart and versions


def test_everything_is_there_after_a_restart(path: Path) -> None:
    with opened(path) as store:
        change = Change(
            job=job_number(1),
            events=(an_event(job_number(1)),),
            duration_keys=("a",),
            duration_bin=2,
        )
        job, _ = store.create(change, a_token())
        store.put_config(a_connection())
        store.reserve_call("deepva", 65, NOON)
    assert [file.name for file in path.parent.iterdir()] == ["trainbell.db"]
    with opened(path) as store:
        assert store.get(job.id) == job
        assert store.create(change, a_token()) == (job, False)
        assert store.get_config(Connection, "deepva") == a_connection()
        assert store.reserve_call("deepva", 65, NOON) == after(1)
        assert store.durations(["a"]).by_likeness == ({2: 1},)


def test_its_files_are_the_owners_alone_whoever_made_them(path: Path) -> None:
    path.touch(mode=0o644)
    path.chmod(0o644)
    before = os.umask(0o022)
    try:
        with opened(path) as store:
            store.put_config(a_connection())
            modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    finally:
        os.umask(before)

    assert modes == {f"{path.name}{end}": 0o600 for end in ("", "-wal", "-shm")}


def test_a_newer_file_is_left_alone(path: Path) -> None:
    with opened(path):
        pass
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match=r"newer Trainbell.*another directory"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_migration_happens_whole_or_not_at_all(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        # The last table of the first migration is in the way.
        database.execute("CREATE TABLE durations (mine)")
    with pytest.raises(StoreUnavailable, match="durations"):
        SqliteStore(path)
    assert version_of(path) == 0
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name FROM sqlite_master").fetchall()
        assert tables == [("durations",)]
        database.execute("DROP TABLE durations")
    with opened(path) as store:
        stored(store)
    assert version_of(path) == len(MIGRATIONS)


def test_a_closed_store_says_so(path: Path) -> None:
    with opened(path) as store:
        job = stored(store)
    with pytest.raises(StoreUnavailable, match="closed"):
        store.get(job.id)
    with pytest.raises(StoreUnavailable, match="closed"):
        store.save(Change(job=job))
    with pytest.raises(StoreUnavailable, match="closed"):
        store.delete(job)


# ---------------------------------------------------------------- full and read-only


@contextmanager
def file_size_limit(limit: int) -> Iterator[None]:
    """No file grows beyond `limit` bytes: what a quota looks like to a process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_used_up_quota_stores_nothing_half(path: Path) -> None:
    with opened(path) as store:
        job = stored(store)
        room = path.with_name("trainbell.db-wal").stat().st_size
        big = job_number(2, parameters={"text": "x" * 100_000})
        with file_size_limit(room + 50_000):
            with pytest.raises(StoreFull, match=r"no room.*quota"):
                store.create(Change(job=big, events=(an_event(big),), take=("h",)))
            assert store.get(job.id) == job
        with pytest.raises(NotFound):
            store.get(big.id)
        assert store.find_by_hold("h") is None
        assert store.create(Change(job=big, events=(an_event(big),), take=("h",)))[1]


def test_a_full_disk_is_a_full_store(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA max_page_count = 3")
        database.execute("CREATE TABLE big (body)")
        with pytest.raises(sqlite3.OperationalError) as full:
            database.execute("INSERT INTO big VALUES (zeroblob(100000))")
    error = store_error(full.value, path)
    assert isinstance(error, StoreFull)
    assert "free some space" in str(error)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Permissions do not hold root back."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """One that everybody may enter and write."""
    with tempfile.TemporaryDirectory(prefix="trainbell-") as name:
        directory = Path(name)
        directory.chmod(0o777)
        yield directory
        directory.chmod(0o777)


def test_a_read_only_directory_is_a_full_store(open_directory: Path) -> None:
    open_directory.chmod(0o555)
    with without_privileges(), pytest.raises(StoreFull, match="read-only"):
        SqliteStore(open_directory / "trainbell.db")
    assert list(open_directory.iterdir()) == []


def test_a_read_only_file_is_a_full_store(open_directory: Path) -> None:
    path = open_directory / "trainbell.db"
    with without_privileges():
        with opened(path) as store:
            job = stored(store)
        path.chmod(0o444)
        with pytest.raises(StoreFull, match="read-only"):
            SqliteStore(path)
        path.chmod(0o644)
        with opened(path) as store:
            assert store.get(job.id) == job


# ---------------------------------------------------------------- other faults of the file


def test_a_lock_of_another_process_is_named(path: Path) -> None:
    with opened(path, busy_seconds=0) as store, closing(sqlite3.connect(path)) as other:
        job = stored(store)
        other.execute("BEGIN IMMEDIATE")
        for change in (Change(job=job), Change(job=job, events=(an_event(job),))):
            with pytest.raises(StoreUnavailable, match="locked by another process"):
                store.save(change)
        with pytest.raises(StoreUnavailable, match="locked by another process"):
            SqliteStore(path, busy_seconds=0)
        assert store.get(job.id) == job
        other.rollback()
        assert store.save(Change(job=job)).revision == 2


@pytest.mark.parametrize(
    "content", [b"<html>not a database</html>" * 99, b"SQLite format 3\0" * 99]
)
def test_a_file_that_is_no_database_is_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match=r"damaged or no database.*restore"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_a_damaged_page_is_reported(path: Path) -> None:
    with opened(path) as store:
        for number in range(50):
            stored(store, number, parameters={"text": "x" * 2000})
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    with opened(path) as store, pytest.raises(StoreUnavailable, match="damaged"):
        store.list(JobQuery(project="default", limit=100))


def test_a_path_that_is_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="nowhere"):
        SqliteStore(tmp_path / "nowhere" / "trainbell.db")


# ---------------------------------------------------------------- time and threads


def test_purge_drops_what_has_outlived_its_time(path: Path) -> None:
    with opened(path) as store:
        job = job_number(1)
        entries = (a_delivery(job, 1), a_delivery(job, 2))
        store.create(Change(job=job, outbox=entries), a_token())
        first, second = store.claim_outbox(NOON, 60, 10)
        store.settle_outbox(delivered(first, NOON))
        store.settle_outbox(delivered(second, after(1)))
        assert store.purge_expired(after(8 * 3600 - 1)) == 0
        assert store.purge_expired(after(8 * 3600)) == 1
        assert store.purge_expired(NOON + timedelta(days=90)) == 1
        assert [entry.id for entry in store.deliveries(job.id)] == [second.id]


def test_purge_goes_on_until_nothing_is_left(path: Path) -> None:
    with opened(path) as store:
        for number in range(1001):
            store.create(Change(job=job_number(number)), a_token(f"key-{number}"))
        assert store.purge_expired(after(8 * 3600)) == 1001


def test_reads_go_on_while_threads_write(path: Path) -> None:
    """Every read sees a whole write: a revision never goes back, polls and revision agree."""
    with opened(path) as store:
        job = stored(store)
        done = threading.Event()

        def read_or_write(number: int) -> int:
            if number:
                latest = 0
                while not done.is_set():
                    seen = store.get(job.id)
                    assert seen.watch.polls == seen.revision - 1 >= latest
                    latest = seen.watch.polls
                return latest
            current = job
            for polls in range(1, 501):
                current = store.save(Change(job=changed(current, polls=polls)))
            done.set()
            return current.watch.polls

        assert max(at_once(8, read_or_write)) == 500
        assert store.get(job.id).watch.polls == 500
