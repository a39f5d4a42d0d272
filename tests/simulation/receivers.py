"""Where is told: receivers that are down for a while, refuse, or ask for rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.simulation import weather
from tests.simulation.plan import ReceiverPlan
from tests.simulation.process import Process
from tests.simulation.product import (
    Channel,
    ChannelConfig,
    ChannelSpec,
    NotFound,
    Notice,
    NotifyRejected,
    NotifyUnavailable,
)


@dataclass
class Bell:
    """`ports.Channel` of one receiver, in one process."""

    plan: ReceiverPlan
    process: Process

    def send(self, notice: Notice) -> None:
        ground = self.process.ground
        self.process.crossing("before telling", ground.random.uniform(0.05, 2))
        window = weather.at(self.plan.weather, ground.now)
        if window is not None and window.what == "refuses":
            raise NotifyRejected("404 no such hook")
        if window is not None:
            rest = window.value if window.what == "rests" else None
            raise NotifyUnavailable("not now", retry_after_seconds=rest)
        ground.say(f"  {self.plan.name} is told {notice.event.type} of {notice.job.id[-6:]}")
        ground.ledger.notified(self.plan.name, notice)
        self.process.crossing("after telling")

    def close(self) -> None:
        pass


@dataclass
class Bells:
    """`ports.ChannelCatalog` of one process: one kind, a receiver for each channel's name."""

    plans: Sequence[ReceiverPlan]
    process: Process

    def names(self) -> Sequence[str]:
        return ["bell"]

    def spec(self, name: str) -> ChannelSpec:
        if name != "bell":
            raise NotFound(f"no channel kind {name}")
        return ChannelSpec(name="bell", title="Bell", build=lambda c: self._bell(c.config.name))

    @contextmanager
    def lease(self, config: ChannelConfig) -> Iterator[Channel]:
        yield self._bell(config.name)

    def built_in(self) -> Sequence[ChannelConfig]:
        return ()

    def close(self) -> None:
        pass

    def _bell(self, name: str) -> Channel:
        return Bell(next(each for each in self.plans if each.name == name), self.process)
