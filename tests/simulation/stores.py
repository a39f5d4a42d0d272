"""The real stores that a simulated world may stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.contract.dynamodb_factory import dynamodb_store
from tests.contract.store_factories import sqlite_store
from tests.simulation.product import Store


@dataclass(frozen=True)
class StoreUnderTest:
    """`engine`: the one that it has in real life, None for whichever the seed says."""

    opened: Callable[[], AbstractContextManager[Store]]
    engine: str | None = None


STORES: Mapping[str, StoreUnderTest] = {
    "sqlite": StoreUnderTest(sqlite_store),
    "dynamodb": StoreUnderTest(dynamodb_store, engine="cloud"),
}
