"""What the first version stored is read, and goes on, in both stores."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.builders import NOON, FakeClock, a_caller
from tests.contract.dynamodb_factory import create_table, dynamodb_client
from tests.toy_service import ToyService, Training, a_trainbell
from trainbell.domain.job import Job, State
from trainbell.domain.settings import ChannelConfig, Connection, Schedule
from trainbell.errors import StoreTooNew
from trainbell.ports import JobQuery, Store
from trainbell.stores.dynamodb.schema import VERSION
from trainbell.stores.dynamodb.store import DynamoDBStore
from trainbell.stores.dynamodb.table import schema_key
from trainbell.stores.sqlite.schema import MIGRATIONS
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.care.export_records import export_records
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.request_job import request_job

DATA = Path(__file__).parents[1] / "data"
SQL = (DATA / "first_version.sql").read_text()
ITEMS = [json.loads(line) for line in (DATA / "first_version_items.jsonl").read_text().splitlines()]
BODY = {"provider": "toy", "parameters": {"epochs": 3}, "when_busy": "wait"}


@contextmanager
def first_sqlite(path: Path) -> Iterator[SqliteStore]:
    database = sqlite3.connect(path / "first.db")
    database.executescript(SQL)
    assert database.execute("PRAGMA user_version").fetchone()[0] < len(MIGRATIONS)
    database.close()
    store = SqliteStore(path / "first.db")
    yield store
    store.close()


@contextmanager
def first_table(_: Path) -> Iterator[DynamoDBStore]:
    with dynamodb_client() as client:
        create_table(client, "first")
        for item in ITEMS:
            client.put_item(TableName="first", Item=item)
        store = DynamoDBStore("first", client)
        store.migrate()
        store.migrate()
        yield store


@pytest.fixture(params=[first_sqlite, first_table])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with request.param(tmp_path) as opened:
        yield opened


def all_jobs(store: Store) -> dict[str | None, Job]:
    found = (store.list(JobQuery(project=name)).items for name in store.projects())
    return {job.order.name: job for page in found for job in page}


def test_its_records_are_read(store: Store) -> None:
    assert list(store.projects()) == ["default", "vision"]
    states = {name: job.state for name, job in all_jobs(store).items()}
    assert states == {
        "ended": State.SUCCEEDED,
        "running": State.QUEUED,
        "requested": State.REQUESTED,
    }
    assert store.get_config(Connection, "lab") is not None
    assert store.get_config(ChannelConfig, "team") is not None
    assert store.get_config(Schedule, "nightly") is not None
    assert store.unreadable() == {}
    page = export_records(a_trainbell(store, ToyService(FakeClock())))
    assert (page.next, page.unreadable) == (None, [])
    kinds = {record.kind for record in page.records}
    assert {"connection", "channelconfig", "schedule", "job", "event", "entry"} <= kinds


def test_its_jobs_go_on(store: Store) -> None:
    jobs = all_jobs(store)
    service = ToyService(FakeClock(NOON))
    service.trainings += [
        Training("t1", jobs["ended"].id, "completed"),
        Training("t2", jobs["running"].id, "completed"),
    ]
    services = a_trainbell(store, service)
    service.clock.advance(2000)
    assert advance_job(services, jobs["running"].id).job.state is State.SUCCEEDED
    assert advance_job(services, jobs["requested"].id).job.handle == {"id": "t3"}
    again, is_new = request_job(
        services,
        {**BODY, "name": "ended", "tags": {"who": "Ada"}},
        by=a_caller(),
        idempotency_key="k-ended",
    )
    assert (again.id, is_new) == (jobs["ended"].id, False)


def test_a_newer_table_is_refused() -> None:
    with dynamodb_client() as client:
        create_table(client, "newer")
        item: dict[str, Any] = {**schema_key(), "version": {"N": str(VERSION + 1)}}
        client.put_item(TableName="newer", Item=item)
        with pytest.raises(StoreTooNew, match="newer Trainbell"):
            DynamoDBStore("newer", client).migrate()
        assert client.get_item(TableName="newer", Key=schema_key())["Item"] == item
