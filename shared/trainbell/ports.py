"""What the use cases need from outside. Adapters implement these; `bootstrap` chooses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from trainbell.domain.durations import DurationHistory
from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job, State, WhenBusy
from trainbell.domain.observation import Observation
from trainbell.domain.outbox import OutboxEntry
from trainbell.domain.settings import ChannelConfig, ConfigRecord, Connection, Schedule

Item = TypeVar("Item")
Record = TypeVar("Record", Connection, ChannelConfig, Schedule)


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...


class SecretSource(Protocol):
    def read(self, reference: str) -> str:
        """The secret behind a reference such as `env:NAME`.

        Raises:
            ConfigInvalid: no such secret, or a kind of reference that this engine does not allow.
        """
        ...


# ---------------------------------------------------------------- stores


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list; `next_cursor` is None on the last."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Which jobs to list, newest first. `cursor` is opaque and good for the same filters only.

    Jobs created after the first page was read do not shift the later pages.
    """

    project: str
    states: frozenset[State] = frozenset()
    provider: str | None = None
    kind: str | None = None
    model: str | None = None
    dataset: str | None = None
    tag: tuple[str, str | None] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class IdempotencyToken:
    """`fingerprint` is a digest of the input; `expires_at` is 8 hours after the first use."""

    project: str
    key: str
    fingerprint: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One decision to store, all or nothing: the job, its events, its outbox entries, its holds.

    `job` carries the revision that was read; the store writes it with that plus one.
    `take` are holds (exclusive keys) to acquire, `release` holds to give back. `duration_keys`:
    where an ended job's duration is counted (see `DurationHistory`), with its bin.
    """

    job: Job
    events: tuple[JobEvent, ...] = ()
    outbox: tuple[OutboxEntry, ...] = ()
    take: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
    duration_keys: tuple[str, ...] = ()
    duration_bin: int | None = None


@dataclass(frozen=True, slots=True)
class DueJob:
    id: str
    connection: str
    due_at: datetime


class JobStore(Protocol):
    """Jobs with their events, holds and tokens.

    Every method may raise StoreUnavailable or StoreFull; then nothing was written.
    """

    def create(self, change: Change, token: IdempotencyToken | None = None) -> tuple[Job, bool]:
        """Store a new job (revision 0 becomes 1), its events, outbox and holds, and the token.

        Returns the stored job and True; or, where the token is known with the same fingerprint,
        the job of then and False, and writes nothing.

        Raises:
            IdempotencyConflict: the token is known with another fingerprint.
            HoldTaken: one of `change.take` is held.
        """
        ...

    def save(self, change: Change) -> Job:
        """Store a change if the job still has the revision that was read. Returns it as stored.

        Raises:
            JobConflict: another revision is stored, or the job is gone.
            HoldTaken: one of `change.take` is held by another job.
        """
        ...

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        ...

    def find_by_hold(self, key: str) -> str | None:
        """The id of the job that has this hold."""
        ...

    def list(self, query: JobQuery) -> Page[Job]:
        """Raises InputInvalid for a cursor that is not of this list."""
        ...

    def events(self, job_id: str, *, limit: int, cursor: str | None = None) -> Page[JobEvent]:
        """The job's events in order."""
        ...

    def delete(self, job: Job) -> None:
        """Forget an ended job with its events, deliveries and holds. Raises JobConflict."""
        ...

    def due(
        self, now: datetime, limit: int, *, per_connection: int | None = None
    ) -> Sequence[DueJob]:
        """Active jobs whose `next_poll_at` has come, the longest overdue first; of each connection
        at most `per_connection`."""
        ...

    def next_due_at(self) -> datetime | None:
        """When the next active job is due; None where there is none."""
        ...

    def count_by_state(self, project: str | None = None) -> Mapping[State, int]:
        """Active jobs by state. For the health page; may be approximate."""
        ...

    def reserve_call(self, connection: str, calls_per_minute: float, now: datetime) -> datetime:
        """Take the next place in the connection's line of calls (`domain.rate_budget`)."""
        ...

    def hold_calls(self, connection: str, until: datetime) -> None:
        """The service asked for silence: no place before `until`."""
        ...

    def durations(self, keys: Sequence[str]) -> DurationHistory:
        """What is counted under these keys, in their order."""
        ...


class OutboxStore(Protocol):
    """Entries that are still to be told, and the record of those that were."""

    def claim_outbox(
        self, now: datetime, lease_seconds: float, limit: int
    ) -> Sequence[OutboxEntry]:
        """Pending entries that are due, oldest first; nobody else gets them during the lease."""
        ...

    def settle_outbox(self, entry: OutboxEntry, *, replaced_by: Sequence[OutboxEntry] = ()) -> bool:
        """Store what became of a claimed entry; or, with `replaced_by` given or for an unrouted
        entry, remove it and add those (which are left alone where they exist already).

        False, and nothing is written, where the claim was lost to somebody else.
        """
        ...

    def next_outbox_due_at(self) -> datetime | None:
        """When the next pending entry is due (or its lease ends)."""
        ...

    def deliveries(self, job_id: str) -> Sequence[OutboxEntry]:
        """All routed entries of a job, oldest first."""
        ...


class ConfigStore(Protocol):
    """Connections, channels and schedules: small documents by kind and name."""

    def put_config(self, record: ConfigRecord) -> bool:
        """Create or replace. True where it is new."""
        ...

    def get_config(self, kind: type[Record], name: str) -> Record | None: ...

    def list_config(
        self, kind: type[Record], *, limit: int = 100, cursor: str | None = None
    ) -> Page[Record]:
        """By name."""
        ...

    def delete_config(self, kind: type[ConfigRecord], name: str) -> bool:
        """False where there is none."""
        ...


class Store(JobStore, OutboxStore, ConfigStore, Protocol):
    """All three behind one adapter, because one transaction spans them."""

    def purge_expired(self, now: datetime) -> int:
        """Drop what has outlived its time (tokens, old deliveries). Returns how many."""
        ...

    def close(self) -> None: ...


# ---------------------------------------------------------------- providers


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

    def close(self) -> None: ...


# ---------------------------------------------------------------- channels


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

    def client(self, config: ChannelConfig) -> Channel: ...

    def built_in(self) -> Sequence[ChannelConfig]:
        """Channels that the installation itself brings (the stack's topic and bus)."""
        ...

    def close(self) -> None: ...


# ---------------------------------------------------------------- engines


class Watchers(Protocol):
    def watch(self, job: Job) -> None:
        """See to it that this job is driven from now on. Repeats for the same `job.watch` do no
        harm. A failure here is mended by the reconciler, so the job's record comes first."""
        ...


class Scheduler(Protocol):
    """The clock that runs schedules: EventBridge Scheduler, or the embedded loop."""

    def put(self, schedule: Schedule) -> None: ...

    def delete(self, name: str) -> None: ...
