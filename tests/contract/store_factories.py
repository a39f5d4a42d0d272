"""Every store that the contract suite runs over, by name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.contract.dynamodb_factory import (
    TABLE_NAME,
    dynamodb_client,
    dynamodb_store,
    load_jobs,
)
from trainbell.domain.job import Job
from trainbell.ports import Change, Store
from trainbell.stores.dynamodb_store import DynamoDBStore
from trainbell.stores.sqlite_store import SqliteStore


@dataclass(frozen=True)
class StoreFactory:
    """`empty` opens a fresh store. `filled` opens one that holds these jobs at revision 1."""

    empty: Callable[[], AbstractContextManager[Store]]
    filled: Callable[[Iterable[Job]], AbstractContextManager[Store]]


@contextmanager
def sqlite_store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="trainbell-") as directory:
        store = SqliteStore(Path(directory) / "trainbell.db")
        yield store
        store.close()


@contextmanager
def filled_sqlite_store(jobs: Iterable[Job]) -> Iterator[Store]:
    with sqlite_store() as store:
        for job in jobs:
            store.create(Change(job=job))
        yield store


@contextmanager
def filled_dynamodb_store(jobs: Iterable[Job]) -> Iterator[Store]:
    with dynamodb_client() as client:
        load_jobs(client, (replace(job, revision=1) for job in jobs))
        store = DynamoDBStore(TABLE_NAME, client)
        yield store
        store.close()


FACTORIES = {
    "sqlite": StoreFactory(sqlite_store, filled_sqlite_store),
    "dynamodb": StoreFactory(dynamodb_store, filled_dynamodb_store),
}
