"""The simulated Einstein, and a provider that is connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.builders import NOON, FakeClock
from tests.contract.einstein.service import OnlyStarts, a_provider
from trainbell.ports import Provider
from trainbell.providers.einstein.provider import Einstein
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.einstein import EinsteinSimulator
from trainbell.simulators.server import running


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[EinsteinSimulator, str]]:
    simulator = EinsteinSimulator(SimulatorClock(speed=0, start=NOON))
    with running(simulator) as url:
        yield simulator, url


@pytest.fixture
def simulator(served: tuple[EinsteinSimulator, str]) -> EinsteinSimulator:
    """The one server, as if it had just started."""
    vars(served[0]).update(vars(EinsteinSimulator(SimulatorClock(speed=0, start=NOON))))
    return served[0]


@pytest.fixture
def base_url(served: tuple[EinsteinSimulator, str], simulator: EinsteinSimulator) -> str:
    return served[1]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pass_time(simulator: EinsteinSimulator, clock: FakeClock) -> Callable[[float], None]:
    """Moves our clock and the service's."""

    def move(seconds: float) -> None:
        clock.advance(seconds)
        simulator.clock.advance(seconds)

    return move


@pytest.fixture
def einstein(
    base_url: str, made: list[Provider | httpx.BaseTransport], clock: FakeClock
) -> Einstein:
    made.append(provider := a_provider(base_url, clock=clock))
    return provider


@pytest.fixture
def another(base_url: str, made: list[Provider | httpx.BaseTransport]) -> Callable[..., Einstein]:
    def make(url: str = base_url, **wanted: Any) -> Einstein:
        if "transport" in wanted:
            made.append(transport := OnlyStarts(wanted["transport"]))
            wanted["transport"] = transport
        made.append(provider := a_provider(url, **wanted))
        return provider

    return make
