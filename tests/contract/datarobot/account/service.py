"""What the tests of a DataRobot account hold."""

from __future__ import annotations

import httpx

from tests.builders import NOON, FakeClock, OneSecret, a_connection
from trainbell.ports import ProviderContext
from trainbell.providers.datarobot.client import DataRobotClient
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.service import API_KEY

AUTH = {"Authorization": f"Bearer {API_KEY}"}


def fresh_simulator() -> DataRobotSimulator:
    return DataRobotSimulator(SimulatorClock(speed=0, start=NOON))


def a_client(url: str, transport: httpx.BaseTransport | None = None) -> DataRobotClient:
    return DataRobotClient.from_context(
        ProviderContext(
            connection=a_connection(name="dr", provider="datarobot", base_url=url),
            secrets=OneSecret(API_KEY),
            clock=FakeClock(),
            transport=transport,
        )
    )
