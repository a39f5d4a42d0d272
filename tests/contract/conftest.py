"""The stores of the contract suite, each test with each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.store_factories import FACTORIES
from trainbell.ports import Store


@pytest.fixture(params=FACTORIES)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A fresh, empty store."""
    with FACTORIES[request.param].empty() as opened:
        yield opened
