"""What went wrong with one call to a service, as data: decided on, kept with the job, and shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

CONNECTION_MOVED = "ConnectionMoved"
"""The type of a failure that came with a change of the connection, which a person must undo."""


class FailureKind(StrEnum):
    """What a failure means, whatever its words.

    `UNAVAILABLE`, `THROTTLED`, `AUTH`: the service surely did nothing. `REJECTED`: it refuses this
    input. `MISSING`: it does not know the job. `INVALID`: its answer cannot be read. `UNCLEAR`: it
    may have done what was asked, or not. `JOB`: the call went well and told of a job that failed.
    """

    UNAVAILABLE = "unavailable"
    THROTTLED = "throttled"
    AUTH = "auth"
    REJECTED = "rejected"
    MISSING = "missing"
    INVALID = "invalid"
    UNCLEAR = "unclear"
    JOB = "job"

    @property
    def proves_nothing_taken(self) -> bool:
        """Whether a start that failed so may be sent again without a look-up."""
        return self in (FailureKind.UNAVAILABLE, FailureKind.THROTTLED, FailureKind.AUTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failure, in the service's own words where it has any.

    `type` is the error's class name, `at` when the call was begun. A failure never ends, cancels
    or repeats a job by itself.
    """

    kind: FailureKind
    type: str
    message: str
    at: datetime
    http_status: int | None = None
    vendor_code: str | None = None
    request_id: str | None = None
    details: Any = None
    retry_after_seconds: float | None = None
