"""Every store that the contract suite runs over, by name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.contract.dynamodb_factory import dynamodb_store, dynamodb_table
from trainbell.domain.job import Job
from trainbell.ports import Change, Store
from trainbell.stores.sqlite.store import SqliteStore


@dataclass(frozen=True)
class StoreFactory:
    """`empty` opens a fresh store. `filled` opens one that holds these jobs at revision 1."""

    empty: Callable[[], AbstractContextManager[Store]]
    filled: Callable[[Iterable[Job]], AbstractContextManager[Store]]


# In memory where there is such a place: these tests are about what is stored, not about disks.
_MEMORY = Path("/dev/shm")


Place = Callable[[], Store]
"""Opens the store that lives there: again, when the process that had it open is dead."""


@contextmanager
def sqlite_place() -> Iterator[Place]:
    where = _MEMORY if _MEMORY.is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="trainbell-", dir=where) as directory,
        ExitStack() as at,
    ):

        def opened() -> Store:
            store = SqliteStore(Path(directory) / "trainbell.db")
            at.callback(store.close)
            return store

        yield opened


@contextmanager
def dynamodb_place() -> Iterator[Place]:
    with dynamodb_table() as opened:
        yield opened


@contextmanager
def sqlite_store() -> Iterator[Store]:
    with sqlite_place() as opened:
        yield opened()


@contextmanager
def filled_sqlite_store(jobs: Iterable[Job]) -> Iterator[Store]:
    with sqlite_store() as store:
        for job in jobs:
            store.create(Change(job=job))
        yield store


@contextmanager
def filled_dynamodb_store(jobs: Iterable[Job]) -> Iterator[Store]:
    with dynamodb_store(replace(job, revision=1) for job in jobs) as store:
        yield store


FACTORIES = {
    "sqlite": StoreFactory(sqlite_store, filled_sqlite_store),
    "dynamodb": StoreFactory(dynamodb_store, filled_dynamodb_store),
}

PLACES: Mapping[str, Callable[[], AbstractContextManager[Place]]] = {
    "sqlite": sqlite_place,
    "dynamodb": dynamodb_place,
}
"""Where a store outlives those who have it open, for suites in which processes die."""
