"""Every error that Trainbell raises on purpose.

TrainbellError
├ InputInvalid                 the caller's input is wrong; every problem with its path
├ ConfigInvalid                the installation's settings are wrong
├ NotFound                     no such job, connection, channel, schedule or provider
├ Conflict                     the request contradicts what is stored
│ ├ IdempotencyConflict        same key, other input
│ ├ HoldTaken                  the name, dataset or slot is in use by another job
│ ├ JobEnded                   the job has ended; it cannot change any more
│ ├ SettingChanged             somebody else has changed the setting since it was read
│ └ NotSupported               the provider has no such call
├ ProviderError                a training service did not do what was asked
│ ├ ProviderUnavailable        transient: down, refused, 5xx on a read
│ ├ ProviderThrottled          transient: 429, or our own rate budget; see retry_after_seconds
│ ├ ProviderAuthFailed         needs a person: wrong, missing or expired secret
│ ├ ProviderRejected           permanent: the service refuses this input
│ ├ ProviderJobMissing         the service does not know this job (now)
│ ├ ProviderReplyInvalid       transient: an answer that nobody can read
│ └ StartOutcomeUnknown        a start was sent and its answer is lost: look it up, never repeat
├ StoreError
│ ├ JobConflict                transient: somebody else wrote first; read again
│ ├ StoreUnavailable           transient: throttled, locked, unreachable
│ ├ StoreFull                  needs a person: disk or quota is full, or read-only
│ ├ RecordUnreadable           needs a person: kept and set aside, while all else goes on
│ └ StoreTooNew                permanent: written by a newer Trainbell
└ NotifyError
  ├ NotifyUnavailable          transient: try this channel again later
  └ NotifyRejected             permanent: this channel refuses; a person must mend it

Step Functions matches the bare class name of the exception, never its parents. So leaf names are
a wire contract with `workflow/job_lifecycle.asl.json`; tests/workflow holds both sides to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Permanence(StrEnum):
    """What helps against an error: time, a person, or nothing."""

    TRANSIENT = "transient"
    NEEDS_PERSON = "needs_person"
    PERMANENT = "permanent"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input: where (a dotted path) and what to do about it."""

    path: str
    message: str


class TrainbellError(Exception):
    """Base of all errors below. `str(error)` is fit for a person and holds no secret."""

    permanence = Permanence.PERMANENT


class InputInvalid(TrainbellError):
    """The caller's input is wrong. Carries all problems, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.path}: {p.message}" for p in self.problems))


class ConfigInvalid(TrainbellError):
    """An environment variable, a file or a stored setting is wrong."""


class NotFound(TrainbellError):
    """There is no such thing. The message names those that exist, where that is a short list."""


class Conflict(TrainbellError):
    """The request is well-formed but contradicts what is stored."""


class IdempotencyConflict(Conflict):
    """The same idempotency key was used with other input less than 8 hours ago."""


class HoldTaken(Conflict):
    """Another job holds the name, dataset or slot.

    `key` is the hold, `holder` the id of the job that has it.
    """

    def __init__(self, key: str, holder: str) -> None:
        self.key = key
        self.holder = holder
        super().__init__(f"{key} is held by job {holder}")


class JobEnded(Conflict):
    """The job has ended, and an end is final."""


class SettingChanged(Conflict):
    """The connection, channel or schedule is not (or no more) the one that the caller has read."""


class NotSupported(Conflict):
    """The provider has no such call, and says so."""


class ProviderError(TrainbellError):
    """A training service did not do what was asked.

    The service's own words are kept: `vendor_code`, `request_id` and `details` (its error body,
    bounded and redacted) go into the job's `last_error`.
    """

    permanence = Permanence.TRANSIENT

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        operation: str = "",
        http_status: int | None = None,
        vendor_code: str | None = None,
        request_id: str | None = None,
        retry_after_seconds: float | None = None,
        details: object = None,
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.operation = operation
        self.http_status = http_status
        self.vendor_code = vendor_code
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds
        self.details = details


class ProviderUnavailable(ProviderError):
    """The service is down or unreachable. Nothing was done there."""


class ProviderThrottled(ProviderError):
    """The service (or our own rate budget) asks for fewer calls. Nothing was done there."""


class ProviderAuthFailed(ProviderError):
    """The secret is wrong, missing or expired. Nothing was done there."""

    permanence = Permanence.NEEDS_PERSON


class ProviderRejected(ProviderError):
    """The service refuses this input for good. Nothing was done there."""

    permanence = Permanence.PERMANENT


class ProviderJobMissing(ProviderError):
    """The service does not know this job. After a grace period the job counts as lost."""


class ProviderReplyInvalid(ProviderError):
    """The service answered something unreadable: HTML, half a JSON, a wrong type, too much."""


class StartOutcomeUnknown(ProviderError):
    """A start was sent and no readable answer came back. It may or may not be running."""


class StoreError(TrainbellError):
    """The store did not do what was asked; nothing was written."""


class JobConflict(StoreError):
    """Somebody else wrote this job first: read it again and decide anew."""

    permanence = Permanence.TRANSIENT


class StoreUnavailable(StoreError):
    """The store is throttled, locked or unreachable.

    `is_locked`: somebody else holds it, and it is well as soon as that one lets go.
    """

    permanence = Permanence.TRANSIENT

    def __init__(self, message: str, *, is_locked: bool = False) -> None:
        super().__init__(message)
        self.is_locked = is_locked


class StoreFull(StoreError):
    """The store cannot be written: no space, over quota, or read-only."""

    permanence = Permanence.NEEDS_PERSON


class RecordUnreadable(StoreError):
    """What is stored under this name cannot be read: damaged, or written by a newer Trainbell.

    It is kept as it is and set aside, so that all else goes on. `record` is what it is and its
    name; nothing of its contents is told, for that may be secret.
    """

    permanence = Permanence.NEEDS_PERSON

    def __init__(self, record: str, reason: str) -> None:
        self.record = record
        super().__init__(f"{record} is stored, but cannot be read: {reason}")


class StoreTooNew(StoreError):
    """The data was written by a newer Trainbell than this one."""


class NotifyError(TrainbellError):
    """A channel did not take the message.

    `retry_after_seconds` is the receiver's own wish, where it has one.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NotifyUnavailable(NotifyError):
    """The receiver is down or throttling: try again later."""

    permanence = Permanence.TRANSIENT


class NotifyRejected(NotifyError):
    """The receiver refuses for good (gone, forbidden): a person must mend the channel."""
