"""The simulated Azure AI Vision, and a provider that is connected to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders import NOON
from tests.contract.azure_vision.service import a_provider
from trainbell.ports import Provider
from trainbell.providers.azure_vision.provider import AzureVision
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.server import running


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[AzureVisionSimulator, str]]:
    simulator = AzureVisionSimulator(SimulatorClock(speed=0, start=NOON))
    with running(simulator) as url:
        yield simulator, url + simulator.base_path


@pytest.fixture
def simulator(served: tuple[AzureVisionSimulator, str]) -> AzureVisionSimulator:
    """The one server, as if it had just started."""
    fresh = AzureVisionSimulator(SimulatorClock(speed=0, start=NOON))
    vars(served[0]).update(vars(fresh))
    return served[0]


@pytest.fixture
def base_url(served: tuple[AzureVisionSimulator, str], simulator: AzureVisionSimulator) -> str:
    return served[1]


@pytest.fixture
def azure(base_url: str, made: list[Provider]) -> AzureVision:
    made.append(provider := a_provider(base_url))
    return provider
