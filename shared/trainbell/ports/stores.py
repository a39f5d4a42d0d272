"""Where jobs, what is to be told, and settings are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from trainbell.domain.durations import DurationHistory
from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job, State
from trainbell.domain.outbox import OutboxEntry
from trainbell.domain.settings import (
    ChannelConfig,
    ConfigRecord,
    Connection,
    Departure,
    Retention,
    Schedule,
)
from trainbell.ports.archives import ArchiveStore, IdempotencyToken

Item = TypeVar("Item")
Record = TypeVar("Record", Connection, ChannelConfig, Schedule, Departure, Retention)

NOT_STORED = ""
"""The revision of a setting that is not stored."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list; `next_cursor` is None on the last.

    `unreadable` names what belongs on this page and cannot be read; it is left out of `items`.
    """

    items: tuple[Item, ...]
    next_cursor: str | None = None
    unreadable: tuple[str, ...] = ()


class RecordKind(StrEnum):
    """What a store sets aside where it cannot be read."""

    JOB = "job"
    OUTBOX_ENTRY = "outbox_entry"
    SETTING = "setting"


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
        """Raises NotFound; RecordUnreadable, having set the job aside: it is due no more."""
        ...

    def find_by_hold(self, key: str) -> str | None:
        """The id of the job that has this hold."""
        ...

    def free_slot(self, connection: str, slots: int, *, first: int = 0) -> str | None:
        """The hold of a slot (`domain.slots`) that nobody has, looked for from number `first` on
        and around; None where all are taken. One read, however many slots there are.

        Whether it is still free is decided by the write that takes it.
        """
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
        self, now: datetime, limit: int, *, per_connection: Callable[[str], int] | None = None
    ) -> Sequence[DueJob]:
        """Jobs whose `due_at` has come, the longest overdue first; of each connection at most
        `per_connection` says."""
        ...

    def watched(self) -> Iterator[DueJob]:
        """Every job that is looked at or looked for, whenever it is due; read page by page. One
        that moves meanwhile comes once at least."""
        ...

    def active(self, connection: str, limit: int) -> Sequence[DueJob]:
        """Active jobs of a connection, those whose next look is furthest away first."""
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

    def lift_silence(self, connection: str) -> None:
        """Forget a silence, and the line behind it: the next call gets a place at once."""
        ...

    def durations(self, keys: Sequence[str]) -> DurationHistory:
        """What is counted under these keys, in their order."""
        ...


class OutboxStore(Protocol):
    """Entries that are still to be told, and the record of those that were."""

    def claim_outbox(
        self, now: datetime, lease_seconds: float, limit: int
    ) -> Sequence[OutboxEntry]:
        """Pending entries that are due, oldest first; nobody else gets them during the lease.

        One that cannot be read is set aside, and holds up no other.
        """
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

    def pending(self, channel: str, limit: int) -> Sequence[OutboxEntry]:
        """Deliveries to a channel that are still to be made, the oldest first."""
        ...

    def requeue(self, entry: OutboxEntry) -> bool:
        """Store a delivery that was done as one that is to be made (`outbox.redelivered`). False
        where it is not done, or gone."""
        ...

    def untold(self, job_id: str) -> int:
        """How many entries of a job are still to be told, routed or not."""
        ...

    def deliveries(self, job_id: str) -> Sequence[OutboxEntry]:
        """All routed entries of a job, oldest first."""
        ...


class ConfigStore(Protocol):
    """Connections, channels and schedules: small documents by kind and name."""

    def put_config(self, record: Record, *, expected: str | None = None) -> tuple[Record, bool]:
        """Create or replace. Returns it with its new revision, and whether it is new.

        With `expected`, only where this revision is stored; `NOT_STORED`: only where none is.

        Raises:
            SettingChanged: something else is stored than was expected.
        """
        ...

    def get_config(self, kind: type[Record], name: str) -> Record | None:
        """Raises RecordUnreadable."""
        ...

    def list_config(
        self, kind: type[Record], *, limit: int = 100, cursor: str | None = None
    ) -> Page[Record]:
        """By name."""
        ...

    def delete_config(
        self, kind: type[ConfigRecord], name: str, *, expected: str | None = None
    ) -> bool:
        """False where there is none. Raises SettingChanged where another revision is stored than
        was expected."""
        ...


class Store(JobStore, OutboxStore, ConfigStore, ArchiveStore, Protocol):
    """All four behind one adapter, because one transaction spans them.

    What cannot be read is *set aside*: kept as it is, counted, named in the log once, and no more
    due; lists leave it out and say so. It never stands in the way of anything else.
    """

    def unreadable(self) -> Mapping[RecordKind, int]:
        """How many records are set aside, by kind; a kind that has none is left out."""
        ...

    def readmit(self) -> int:
        """Take back what was set aside and can be read now: by this version, or since it was
        mended. It is due when it was. Returns how many."""
        ...

    def purge_expired(self, now: datetime) -> int:
        """Drop what has outlived its time (tokens, old deliveries). Returns how many."""
        ...

    def close(self) -> None: ...
