"""An error of a call to a service, as the data that decisions are made on."""

from __future__ import annotations

from datetime import datetime

from trainbell.domain.failure import Failure, FailureKind
from trainbell.errors import (
    ProviderAuthFailed,
    ProviderError,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
    TrainbellError,
)
from trainbell.use_cases.ground.services import log

MESSAGE_KEPT = 2000

_KINDS: tuple[tuple[type[ProviderError], FailureKind], ...] = (
    (ProviderUnavailable, FailureKind.UNAVAILABLE),
    (ProviderThrottled, FailureKind.THROTTLED),
    (ProviderAuthFailed, FailureKind.AUTH),
    (ProviderRejected, FailureKind.REJECTED),
    (ProviderJobMissing, FailureKind.MISSING),
    (ProviderReplyInvalid, FailureKind.INVALID),
    (ProviderError, FailureKind.UNCLEAR),
)


def failure_of(error: Exception, at: datetime) -> Failure:
    """One that nobody foresaw is kept by its type, as an unreadable answer."""
    if not isinstance(error, ProviderError):
        return _unforeseen(error, at)
    return Failure(
        kind=next(kind for cls, kind in _KINDS if isinstance(error, cls)),
        type=type(error).__name__,
        message=str(error)[:MESSAGE_KEPT],
        at=at,
        http_status=error.http_status,
        vendor_code=error.vendor_code,
        request_id=error.request_id,
        details=error.details,
        retry_after_seconds=error.retry_after_seconds,
    )


def _unforeseen(error: Exception, at: datetime) -> Failure:
    name = type(error).__name__
    if isinstance(error, TrainbellError):
        # No such connection, secret or setting: a person must mend it, as with a wrong key.
        kind, message = FailureKind.AUTH, str(error)
    else:
        log.error("a provider failed in a way it does not declare", exc_info=error)
        kind, message = FailureKind.INVALID, f"the provider failed with {name}; see the log"
    return Failure(kind=kind, type=name, message=message[:MESSAGE_KEPT], at=at)
