"""A real store on disk, a toy service and a Trainbell around both, for use-case tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import FakeClock
from tests.toy_service import ToyService, a_trainbell
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.services import Services


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def service(clock: FakeClock) -> ToyService:
    return ToyService(clock)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "jobs.sqlite3")
    yield store
    store.close()


@pytest.fixture
def services(store: SqliteStore, service: ToyService) -> Services:
    return a_trainbell(store, service)
