"""What every kind of job at DataRobot is, and what its handle holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from trainbell.domain.observation import Observation
from trainbell.errors import NotSupported
from trainbell.ports import Clock, Handle, StartOrder
from trainbell.providers import orders
from trainbell.providers.datarobot.client import DataRobotClient
from trainbell.providers.datarobot.parameters import Parameters

MAX_MESSAGE = 2000
Given = TypeVar("Given", bound=Parameters)


class JobKind(ABC):
    """Handles are flat, of texts: `kind`, and the ids that find the job again."""

    title = ""

    def __init__(self, client: DataRobotClient, clock: Clock) -> None:
        self.client = client
        self.clock = clock

    @abstractmethod
    def start(self, order: StartOrder) -> Handle: ...

    @abstractmethod
    def find(self, order: StartOrder) -> Handle | None:
        """Sends nothing but reads."""

    @abstractmethod
    def poll(self, handle: Handle, seen_at: datetime) -> Observation: ...

    def cancel(self, handle: Handle) -> None:
        del handle
        raise NotSupported(f"DataRobot has no call to cancel {self.title}; it runs to its own end")

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        del handle, lines
        raise NotSupported(f"DataRobot has no log of {self.title}")

    def message(self, text: str | None) -> str | None:
        return self.client.http.redact(text)[:MAX_MESSAGE] if text else None


def parameters_of(order: StartOrder, kind: type[Given]) -> Given:
    """Raises ProviderRejected, naming what is wrong."""
    return orders.parameters_of(
        order,
        kind,
        what=f"a {order.kind}",
        provider="DataRobot",
        operation=f"start a {order.kind}",
    )


def id_of(handle: Handle, name: str) -> str:
    """Raises ProviderJobMissing where the handle holds no such id."""
    return orders.name_in(
        handle,
        name,
        what=f"id of a {name}",
        provider="DataRobot",
        operation="read a handle",
    )
