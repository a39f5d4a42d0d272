"""Training services: what a provider declares of itself, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel

from trainbell.domain.job import Job
from trainbell.domain.observation import Observation
from trainbell.domain.order import MIN_INTERVAL_SECONDS, Order
from trainbell.domain.secret_bounds import AMBIENT, Destination, HostPattern, SecretUse
from trainbell.domain.settings import Connection
from trainbell.domain.starting import Settling
from trainbell.ports.account_calls import AccountCall
from trainbell.ports.engines import Clock, SecretSource


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOrder(Order):
    """An order on its way to a service: what is needed to start it, and to find it again.

    `job_id` is the identity to leave at the service as name, token or marker. `requested_at` and
    the later `sent_at`: what the service made before that was not made for this order.
    `when_busy`: what the caller wants where the service itself has no room for it now.
    A provider knows its own name and connection, so who calls one directly may leave them out.
    """

    provider: str = ""
    connection: str = ""
    job_id: str
    requested_at: datetime | None = None
    sent_at: datetime | None = None

    @classmethod
    def of(cls, job: Job) -> StartOrder:
        asked = {each.name: getattr(job.order, each.name) for each in fields(Order)}
        return cls(**asked, job_id=job.id, requested_at=job.created_at, sent_at=job.start.sent_at)


Handle = Mapping[str, Any]
Found = Handle | Sequence[Handle]


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

    def find(self, order: StartOrder) -> Found | None:
        """The job that an earlier `start` with this order made, or None where there is none.

        Several that bear the order's mark: all of them, the oldest first. One is adopted, and the
        others are an alarm.
        """
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


SETTLE_WHERE_DOUBLED = 900.0
"""Seconds. A service that takes a second start for another training may commit late."""

LOOK_UPS_WHERE_DOUBLED = 3


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

    `can_cancel` False: the service can cancel other kinds, but not this one; `has_logs` likewise.
    `one_active_per_model`: two jobs of this kind would get in each other's way at one model.
    """

    name: str
    title: str
    parameters: type[BaseModel]
    can_cancel: bool = True
    has_logs: bool = True
    one_active_per_model: bool = False


INSTALLATION = "trainbell"
"""What an installation is called that has no name of its own: that of one machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderContext:
    """What a provider is built from. `transport` replaces the network in tests. `installation`: the
    name of this Trainbell, which tells its jobs from those of another in the same account."""

    connection: Connection
    secrets: SecretSource
    clock: Clock
    data_dir: str | None = None
    transport: Any = None
    installation: str = INSTALLATION


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """What a provider declares of itself: `PROVIDER` in its folder's `__init__.py`.

    `options`: model of `Connection.options`. `settle_seconds`: after how long a look-up that finds
    nothing proves that a lost start was never taken. `repeat_is_harmless`: the service itself
    refuses or joins a second start of the same job (a unique name, a token); otherwise a lost
    start is sent again only after `SETTLE_WHERE_DOUBLED` and several look-ups.
    `missing_grace_seconds`: for how long "no such job" may be a hiccup. `default_base_url` None: a
    connection must name one, unless `needs_url` is False. `calls_per_minute`: default rate budget.
    `min_interval_seconds`: the shortest wait between two looks where the caller names none; a long
    one where changes are told, and looks are only the safety net. `dataset_of`, `model_of`: read
    these from the parameters where the caller names none. `build` is called once per connection.
    `calls`: what the service can be asked beside its jobs, by name. `hosts`: those that the vendor
    runs, beside the default URL's (`api.example.com`, `*.example.com`, `api.{region}.example.com`
    with an option's value): a secret may go there unless its owner says otherwise.
    `further_urls`: option fields with URLs that the secret goes to, too. `finds_credentials`: it
    uses the machine's own where a connection has none.
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
    repeat_is_harmless: bool = False
    missing_grace_seconds: float = 300.0
    calls_per_minute: float | None = None
    min_interval_seconds: float = MIN_INTERVAL_SECONDS
    dataset_of: Callable[[Mapping[str, Any]], str | None] | None = None
    model_of: Callable[[Mapping[str, Any]], str | None] | None = None
    calls: Mapping[str, AccountCall] = field(default_factory=dict)
    hosts: Sequence[str] = ()
    further_urls: Sequence[str] = ()
    finds_credentials: bool = False

    def secret_of(self, connection: Connection) -> str | None:
        """The reference to what the connection proves itself with, if anything."""
        return connection.secret or (AMBIENT if self.finds_credentials else None)

    def secret_use(self, connection: Connection) -> SecretUse:
        """Where this connection's secret would go. Raises ConfigInvalid where a URL is none."""
        options = {key: value for key, value in connection.options.items() if value is not None}
        own = []
        for host in self.hosts:
            with suppress(KeyError):
                own.append(HostPattern.of(host.format_map(options)))
        if self.default_base_url:
            own.append(HostPattern.of(str(Destination.of_url(self.default_base_url))))
        further = [options.get(name) for name in self.further_urls]
        urls = [connection.base_url or self.default_base_url, *further]
        return SecretUse(
            user=self.name,
            destinations=tuple(Destination.of_url(url) for url in urls if url),
            own_hosts=tuple(own),
        )

    def settling(self, connection: Connection) -> Settling:
        """When a lost start of this connection's is proven not to have been taken."""
        given = connection.settle_seconds
        if self.repeat_is_harmless:
            return Settling(given or self.settle_seconds)
        seconds = given or max(self.settle_seconds, SETTLE_WHERE_DOUBLED)
        return Settling(seconds, LOOK_UPS_WHERE_DOUBLED, repeat_doubles=True)

    def cancels(self, kind: str) -> bool:
        """Whether the service can cancel a job of this kind."""
        return self.can_cancel and (kind not in self.kinds or self.kinds[kind].can_cancel)

    def logs(self, kind: str) -> bool:
        """Whether the service has a log of a job of this kind."""
        return self.has_logs and (kind not in self.kinds or self.kinds[kind].has_logs)


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
