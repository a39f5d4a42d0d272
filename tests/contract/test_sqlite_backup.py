"""A backup of a database in use is whole, private and never over a file; and it comes back."""

from __future__ import annotations

import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from tests.builders import FakeClock, a_caller
from tests.contract.store_builders import job_number
from tests.toy_service import ToyService, a_trainbell
from trainbell.bootstrap.embedded import DATABASE
from trainbell.domain.job import State
from trainbell.embedded.backups import backup, restore
from trainbell.embedded.data_dir import DataDirInUse, open_data_dir
from trainbell.errors import ConfigInvalid, StoreTooNew, StoreUnavailable
from trainbell.ports import Change
from trainbell.stores.sqlite.schema import MIGRATIONS
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.request_job import request_job

BODY = {"provider": "toy", "parameters": {"epochs": 3}, "when_busy": "wait"}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    return path


def test_a_copy_of_a_database_that_is_written_is_one_moment_of_it(
    data_dir: Path, tmp_path: Path
) -> None:
    store = SqliteStore(data_dir / DATABASE)
    stopping = threading.Event()

    def write() -> None:
        number = 0
        while not stopping.is_set():
            number += 1
            store.create(Change(job=job_number(number), take=(f"hold-{number}",)))

    writer = threading.Thread(target=write)
    writer.start()
    copies = [tmp_path / f"copy-{number}" for number in range(5)]
    try:
        for copy in copies:
            backup(data_dir, copy)
    finally:
        stopping.set()
        writer.join()
        store.close()
    counts = []
    for copy in copies:
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        with sqlite3.connect(copy) as db:
            [jobs], [holds] = (
                db.execute(f"SELECT count(*) FROM {table}").fetchone()
                for table in ("jobs", "holds")
            )
        db.close()
        assert jobs == holds
        counts.append(jobs)
    assert counts == sorted(counts)
    assert not list(tmp_path.glob(".copy*"))


def test_a_backup_never_replaces_a_file(data_dir: Path, tmp_path: Path) -> None:
    SqliteStore(data_dir / DATABASE).close()
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(ConfigInvalid, match="is there already"):
        backup(data_dir, tmp_path / "precious")
    assert (tmp_path / "precious").read_text() == "mine"


def test_jobs_go_on_after_a_restore_and_none_is_started_twice(
    data_dir: Path, tmp_path: Path
) -> None:
    """Since the backup, one job was started that is unsent in it, and one has ended."""
    service = ToyService(FakeClock())
    services = a_trainbell(SqliteStore(data_dir / DATABASE), service)
    running, _ = request_job(services, BODY, by=a_caller())
    advance_job(services, running.id)
    unsent, _ = request_job(services, BODY, by=a_caller())
    backup(data_dir, tmp_path / "copy")
    advance_job(services, unsent.id)
    service.trainings[0].status = "completed"
    service.clock.advance(600)
    assert advance_job(services, running.id).job.state is State.SUCCEEDED
    services.store.close()

    with pytest.raises(ConfigInvalid, match="--replace"):
        restore(data_dir, tmp_path / "copy")
    watched, aside = restore(data_dir, tmp_path / "copy", replaces=True)
    assert watched == 2
    assert aside is not None
    assert aside.exists()

    services = a_trainbell(SqliteStore(data_dir / DATABASE), service)
    assert services.store.get(unsent.id).start_is_unclear
    service.set_all("completed")
    ends = {}
    for _ in range(5):
        service.clock.advance(600)
        ends = {job.id: advance_job(services, job.id).job for job in (running, unsent)}
    assert {job.state for job in ends.values()} == {State.SUCCEEDED}
    assert len(service.trainings) == 2
    services.store.close()


def test_a_running_trainbell_keeps_its_database(data_dir: Path, tmp_path: Path) -> None:
    SqliteStore(data_dir / DATABASE).close()
    backup(data_dir, tmp_path / "copy")
    with open_data_dir(data_dir), pytest.raises(DataDirInUse):
        restore(data_dir, tmp_path / "copy", replaces=True)


def test_what_is_no_backup_changes_nothing(data_dir: Path, tmp_path: Path) -> None:
    SqliteStore(data_dir / DATABASE).close()
    before = (data_dir / DATABASE).read_bytes()
    (tmp_path / "text").write_text("no database at all" * 100)
    with pytest.raises(StoreUnavailable):
        restore(data_dir, tmp_path / "text", replaces=True)
    backup(data_dir, tmp_path / "newer")
    with sqlite3.connect(tmp_path / "newer") as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(StoreTooNew):
        restore(data_dir, tmp_path / "newer", replaces=True)
    assert (data_dir / DATABASE).read_bytes() == before
    assert not [path for path in data_dir.iterdir() if "restored" in path.name]


def test_a_damaged_database_is_no_backup(data_dir: Path, tmp_path: Path) -> None:
    store = SqliteStore(data_dir / DATABASE)
    for number in range(200):
        store.create(Change(job=job_number(number)))
    store.close()
    with (data_dir / DATABASE).open("r+b") as file:
        file.seek(40_960)
        file.write(b"\xff" * 8192)
    with pytest.raises((ConfigInvalid, StoreUnavailable)):
        backup(data_dir, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
