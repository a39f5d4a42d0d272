"""What suites of every kind share; and a test that is marked to show a feature fails where it did
not go through the API."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.doors.evidence import EMBEDDED, missing, noted

if TYPE_CHECKING:
    from tests.contract.store_factories import Place


@pytest.fixture(params=["sqlite", "dynamodb"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Where a store lives that may be opened again, when a process with it has died."""
    from tests.contract.store_factories import PLACES  # Loads moto, which most tests do without.

    with PLACES[request.param]() as opened:
        yield opened


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    mark = pyfuncitem.get_closest_marker("feature")
    if mark is None:
        return (yield)
    callspec = getattr(pyfuncitem, "callspec", None)
    engine = callspec.params.get("anywhere", EMBEDDED) if callspec else EMBEDDED
    with noted() as exchanges:
        result = yield
    wanted = str(mark.kwargs["does"]).split()
    if left := missing(exchanges, engine, wanted):
        pytest.fail(f"{', '.join(left)}: did not go through the API, {engine}")
    return result
