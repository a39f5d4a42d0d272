"""Trainbells to go through, and services for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.doors.engines import Embedded, Engine, Service, cloud_engine, connected, embedded_engine
from tests.doors.evidence import CLOUD, EMBEDDED

Connect = Callable[[str], Service]


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Embedded]:
    with embedded_engine(tmp_path) as engine:
        yield engine


@pytest.fixture
def connect(embedded: Embedded) -> Iterator[Connect]:
    """Gives a fresh service by its provider's name, connected to an embedded Trainbell."""
    with ExitStack() as life:
        yield lambda name: life.enter_context(connected(embedded, name))


@pytest.fixture(scope="module", params=[EMBEDDED, CLOUD])
def anywhere(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Each engine in turn, one for all tests of a module."""
    make = embedded_engine if request.param == EMBEDDED else cloud_engine
    with make(tmp_path_factory.mktemp("engine")) as engine:
        yield engine
