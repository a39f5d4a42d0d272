"""The simulated DataRobot, and a provider that is connected to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders import FakeClock
from tests.contract.datarobot.service import a_provider, fresh_simulator
from trainbell.ports import Provider
from trainbell.providers.datarobot.provider import DataRobot
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.server import running


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[DataRobotSimulator, str]]:
    simulator = fresh_simulator()
    with running(simulator) as url:
        yield simulator, url + simulator.base_path


@pytest.fixture
def simulator(served: tuple[DataRobotSimulator, str]) -> DataRobotSimulator:
    """The one server, as if it had just started."""
    vars(served[0]).update(vars(fresh_simulator()))
    return served[0]


@pytest.fixture
def base_url(served: tuple[DataRobotSimulator, str], simulator: DataRobotSimulator) -> str:
    return served[1]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def datarobot(base_url: str, made: list[Provider], clock: FakeClock) -> DataRobot:
    made.append(provider := a_provider(base_url, clock=clock))
    return provider
