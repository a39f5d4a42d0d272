"""The simulated Lookout for Vision, and a provider that is connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.lookout_vision.service import a_provider, fresh_simulator
from trainbell.ports import Provider
from trainbell.providers.lookout_vision.provider import LookoutVision
from trainbell.simulators.lookout_vision import LookoutVisionSimulator
from trainbell.simulators.server import running


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[LookoutVisionSimulator, str]]:
    simulator = fresh_simulator()
    with running(simulator) as url:
        yield simulator, url


@pytest.fixture
def simulator(served: tuple[LookoutVisionSimulator, str]) -> LookoutVisionSimulator:
    """The one server, as if it had just started."""
    vars(served[0]).update(vars(fresh_simulator()))
    return served[0]


@pytest.fixture
def base_url(served: tuple[LookoutVisionSimulator, str], simulator: LookoutVisionSimulator) -> str:
    return served[1]


@pytest.fixture
def another(base_url: str, made: list[Provider]) -> Callable[..., LookoutVision]:
    """Makes a provider for the simulator, and closes it in the end."""

    def make(url: str | None = base_url, **wanted: Any) -> LookoutVision:
        made.append(provider := a_provider(url, **wanted))
        return provider

    return make


@pytest.fixture
def lookout(another: Callable[..., LookoutVision]) -> LookoutVision:
    return another()
