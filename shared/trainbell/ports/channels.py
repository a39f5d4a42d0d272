"""Where to tell: what a channel declares of itself, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job
from trainbell.domain.settings import ChannelConfig
from trainbell.ports.engines import Clock, SecretSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a channel is to tell: the event, the job as it is now, and where to read more.

    `id` is the delivery's stable id.
    """

    id: str
    event: JobEvent
    job: Job
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelContext:
    """What a channel is built from. `transport` replaces the network in tests.

    `allow_loopback`: a receiver on this machine may be told, in plain http. Never in the cloud,
    where the loopback address belongs to the runtime.
    """

    config: ChannelConfig
    secrets: SecretSource
    clock: Clock
    transport: Any = None
    allow_loopback: bool = False


class Channel(Protocol):
    def send(self, notice: Notice) -> None:
        """Raises NotifyUnavailable (again later) or NotifyRejected (a person must mend it)."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec:
    """What a channel kind declares of itself: `CHANNEL` in its folder's `__init__.py`."""

    name: str
    title: str
    build: Callable[[ChannelContext], Channel]
    needs_target: bool = False
    needs_secret: bool = False
    target_pattern: str | None = None
    options: type[BaseModel] | None = None


class ChannelCatalog(Protocol):
    def names(self) -> Sequence[str]: ...

    def spec(self, name: str) -> ChannelSpec: ...

    def lease(self, config: ChannelConfig) -> AbstractContextManager[Channel]:
        """The channel's client for the length of a `with`: a change of its settings meanwhile
        closes it no sooner. Raises NotFound or ConfigInvalid on entering."""
        ...

    def built_in(self) -> Sequence[ChannelConfig]:
        """Channels that the installation itself brings (the stack's topic and bus)."""
        ...

    def close(self) -> None: ...
