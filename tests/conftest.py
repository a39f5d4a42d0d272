"""What suites of every kind share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.contract.store_factories import Place


@pytest.fixture(params=["sqlite", "dynamodb"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Where a store lives that may be opened again, when a process with it has died."""
    from tests.contract.store_factories import PLACES  # Loads moto, which most tests do without.

    with PLACES[request.param]() as opened:
        yield opened
