"""Training services: what a provider declares of itself, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel

from trainbell.domain.job import WhenBusy
from trainbell.domain.observation import Observation
from trainbell.domain.settings import Connection
from trainbell.ports.engines import Clock, SecretSource


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOrder:
    """What a provider needs to start a job, and to find it again when the answer was lost.

    `job_id` is the identity to leave at the service as name, token or marker. `requested_at` and
    the later `sent_at`: what the service made before that was not made for this order.
    `when_busy`: what the caller wants where the service itself has no room for it now.
    """

    job_id: str
    kind: str
    parameters: Mapping[str, Any]
    name: str | None = None
    dataset: str | None = None
    model: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    requested_at: datetime | None = None
    sent_at: datetime | None = None
    when_busy: WhenBusy = WhenBusy.REFUSE


Handle = Mapping[str, Any]


class Provider(Protocol):
    """One connection's view of a training service. Synchronous; never sleeps, never loops.

    Every method may raise ProviderUnavailable, ProviderThrottled, ProviderAuthFailed or
    ProviderReplyInvalid.
    """

    def start(self, order: StartOrder) -> Handle:
        """Start it, once.

        Raises:
            ProviderRejected: the service refuses the input; nothing runs.
            StartOutcomeUnknown: the request went out and no readable answer came back.
        """
        ...

    def find(self, order: StartOrder) -> Handle | None:
        """The job that an earlier `start` with this order made, or None where there is none."""
        ...

    def poll(self, handle: Handle) -> Observation:
        """Raises ProviderJobMissing."""
        ...

    def cancel(self, handle: Handle) -> None:
        """Ask the service to stop it; `poll` sees the confirmation. Repeats do no harm.

        Raises NotSupported where the service has no such call.
        """
        ...

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        """The last lines of its log. Raises NotSupported, ProviderJobMissing."""
        ...

    def forget(self, handle: Handle) -> None:
        """Drop what this provider keeps on this machine of an ended job. What the service itself
        keeps (models, history) stays there."""
        ...

    def check(self) -> str:
        """Try the connection for real, without changing anything. Says what answered."""
        ...

    def close(self) -> None: ...


class ServiceState(StrEnum):
    LIVE = "live"
    RETIRED = "retired"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """What is known of the service itself: live or switched off, since when, and the source."""

    state: ServiceState
    as_of: str
    note: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of job: its parameters as a pydantic model (extra fields forbidden).

    `can_cancel` False: the service can cancel other kinds, but not this one.
    `one_active_per_model`: two jobs of this kind would get in each other's way at one model.
    """

    name: str
    title: str
    parameters: type[BaseModel]
    can_cancel: bool = True
    one_active_per_model: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderContext:
    """What a provider is built from. `transport` replaces the network in tests."""

    connection: Connection
    secrets: SecretSource
    clock: Clock
    data_dir: str | None = None
    transport: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """What a provider declares of itself: `PROVIDER` in its folder's `__init__.py`.

    `options`: model of `Connection.options`. `settle_seconds`: after how long a look-up that finds
    nothing proves that a lost start was never taken. `missing_grace_seconds`: for how long "no such
    job" may be a hiccup. `default_base_url` None: a connection must name one, unless `needs_url`
    is False. `calls_per_minute`: default rate budget. `dataset_of`, `model_of`: read these from the
    parameters where the caller names none. `build` is called once per connection.
    """

    name: str
    title: str
    kinds: Mapping[str, Kind]
    service: ServiceStatus
    build: Callable[[ProviderContext], Provider]
    options: type[BaseModel] | None = None
    default_base_url: str | None = None
    needs_url: bool = True
    needs_secret: bool = True
    can_cancel: bool = True
    has_logs: bool = False
    has_progress: bool = False
    embedded_only: bool = False
    one_active_per_dataset: bool = False
    settle_seconds: float = 30.0
    missing_grace_seconds: float = 300.0
    calls_per_minute: float | None = None
    dataset_of: Callable[[Mapping[str, Any]], str | None] | None = None
    model_of: Callable[[Mapping[str, Any]], str | None] | None = None

    def cancels(self, kind: str) -> bool:
        """Whether the service can cancel a job of this kind."""
        return self.can_cancel and (kind not in self.kinds or self.kinds[kind].can_cancel)


class ProviderCatalog(Protocol):
    """Providers by name, and their live clients by connection."""

    def names(self) -> Sequence[str]: ...

    def spec(self, name: str) -> ProviderSpec:
        """Raises NotFound, naming those that exist."""
        ...

    def client(self, connection: Connection) -> Provider:
        """The connection's client; made once and kept until the connection changes.

        Raises ConfigInvalid where its secret or settings cannot be had.
        """
        ...

    def lease(self, connection: Connection) -> AbstractContextManager[Provider]:
        """The same client for the length of a `with`: a change of the connection meanwhile closes
        it no sooner. Raises as `client` does, on entering."""
        ...

    def close(self) -> None: ...
