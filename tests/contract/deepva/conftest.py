"""The simulated DeepVA, and a provider that is connected to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders import NOON
from tests.contract.deepva.service import a_provider
from trainbell.ports import Provider
from trainbell.providers.deepva.provider import DeepVA
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.deepva import DeepVASimulator
from trainbell.simulators.server import running


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[DeepVASimulator, str]]:
    simulator = DeepVASimulator(SimulatorClock(speed=0, start=NOON))
    with running(simulator) as url:
        yield simulator, url + simulator.base_path


@pytest.fixture
def simulator(served: tuple[DeepVASimulator, str]) -> DeepVASimulator:
    """The one server, as if it had just started."""
    fresh = DeepVASimulator(SimulatorClock(speed=0, start=NOON))
    vars(served[0]).update(vars(fresh))
    return served[0]


@pytest.fixture
def base_url(served: tuple[DeepVASimulator, str], simulator: DeepVASimulator) -> str:
    return served[1]


@pytest.fixture
def deepva(base_url: str, made: list[Provider]) -> DeepVA:
    made.append(provider := a_provider(base_url))
    return provider
