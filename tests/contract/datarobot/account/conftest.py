"""The simulated DataRobot, and a client of its account."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.contract.datarobot.account.service import AUTH, a_client, fresh_simulator
from trainbell.providers.datarobot.client import DataRobotClient
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.server import running


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[DataRobotSimulator, str]]:
    simulator = fresh_simulator()
    with running(simulator) as url:
        yield simulator, url


@pytest.fixture
def simulator(served: tuple[DataRobotSimulator, str]) -> DataRobotSimulator:
    vars(served[0]).update(vars(fresh_simulator()))
    return served[0]


@pytest.fixture
def url(served: tuple[DataRobotSimulator, str], simulator: DataRobotSimulator) -> str:
    return f"{served[1]}/api/v2"


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{url}/", headers=AUTH, trust_env=False) as client:
        yield client


@pytest.fixture
def client(url: str) -> Iterator[DataRobotClient]:
    client = a_client(url)
    yield client
    client.close()
