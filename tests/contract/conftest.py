"""The stores of the contract suite, each test with each of them; and what providers hold open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest

from tests.contract.store_factories import FACTORIES
from trainbell.ports import Store


@pytest.fixture(params=FACTORIES)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A fresh, empty store."""
    with FACTORIES[request.param].empty() as opened:
        yield opened


class Closable(Protocol):
    def close(self) -> None: ...


@pytest.fixture
def made() -> Iterator[list[Closable]]:
    """Whatever is put in here is closed after the test."""
    closing: list[Closable] = []
    yield closing
    for each in closing:
        each.close()
