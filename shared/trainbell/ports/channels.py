"""Where to tell: what a channel declares of itself, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job
from trainbell.domain.secret_bounds import Destination, HostPattern, SecretUse
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
    """What a channel kind declares of itself: `CHANNEL` in its folder's `__init__.py`.

    `hosts`: those of its receiver, `hooks.example.com` or `*.example.com`. A secret that is a URL
    must lead to one of them, or to where its owner allows; with none, the channel judges it.
    """

    name: str
    title: str
    build: Callable[[ChannelContext], Channel]
    needs_target: bool = False
    needs_secret: bool = False
    target_pattern: str | None = None
    options: type[BaseModel] | None = None
    hosts: Sequence[str] = ()

    def secret_use(self, config: ChannelConfig) -> SecretUse:
        """Where this channel's secret would go, as far as its settings say: the secret itself may
        be the address. Raises ConfigInvalid where the target looks like a URL and is none."""
        target = config.target or ""
        leads_to = (Destination.of_url(target),) if "://" in target else ()
        return SecretUse(
            user=config.kind,
            destinations=leads_to,
            own_hosts=tuple(map(HostPattern.of, self.hosts)),
            is_address=not leads_to,
        )


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
