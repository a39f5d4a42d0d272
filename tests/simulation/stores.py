"""The real stores that a simulated world may stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from tests.contract.dynamodb_factory import dynamodb_store
from tests.contract.store_factories import sqlite_store
from tests.simulation.product import Store

STORES: Mapping[str, Callable[[], AbstractContextManager[Store]]] = {
    "sqlite": sqlite_store,
    "dynamodb": dynamodb_store,
}
