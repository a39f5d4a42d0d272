"""What care of the data needs of a store, besides what jobs need: all of it, and part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job
from trainbell.domain.outbox import OutboxEntry


@dataclass(frozen=True, slots=True)
class IdempotencyToken:
    """`fingerprint` is a digest of the input; `expires_at` is 8 hours after the first use."""

    project: str
    key: str
    fingerprint: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What stands beside a job: its events, what is told of it, the keys it was requested by."""

    events: tuple[JobEvent, ...] = ()
    entries: tuple[OutboxEntry, ...] = ()
    tokens: tuple[IdempotencyToken, ...] = ()


class ArchiveStore(Protocol):
    """Every method may raise StoreUnavailable or StoreFull."""

    def projects(self) -> Sequence[str]:
        """Every project that has, or had, a job; in order."""
        ...

    def entries(self, job_id: str) -> Sequence[OutboxEntry]:
        """All of a job's entries, told or not, routed or not, by id. Those that cannot be read
        are set aside and left out."""
        ...

    def tokens(self, job_id: str) -> Sequence[IdempotencyToken]:
        """The keys by which a job was requested, as far as they are kept still."""
        ...

    def keep(self, job_id: str, history: History) -> None:
        """Store these beside a job, whether it is stored yet or not. What exists is left alone.

        All of it is stored when this returns; a failure may leave a part, which a repeat
        completes."""
        ...

    def rewrite(self, job: Job, history: History) -> None:
        """Store the job with its next revision, and these in the place of what stands there, all
        at once or one after the other, the job last.

        Raises:
            JobConflict: another revision of the job is stored.
        """
        ...
