"""The time inside a simulator: real, sped up, or moved by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SimulatorClock:
    """Runs `speed` times as fast as real time; 0 stands still until `advance` is called.

    `skew_seconds` shifts what the service says, not what it does: a service whose clock is wrong.
    """

    def __init__(
        self,
        speed: float = 1.0,
        start: datetime | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._anchor = monotonic()
        self._then = start or datetime.now(UTC)
        self._speed = speed
        self.skew_seconds = 0.0

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._then, self._anchor = self.now(), self._monotonic()
        self._speed = speed

    def now(self) -> datetime:
        """The service's true time, aware, in UTC."""
        return self._then + timedelta(seconds=(self._monotonic() - self._anchor) * self._speed)

    def advance(self, seconds: float) -> None:
        self._then += timedelta(seconds=seconds)

    def shown(self, at: datetime) -> datetime:
        """How the service would tell this time."""
        return at + timedelta(seconds=self.skew_seconds)
