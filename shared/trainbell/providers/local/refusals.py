"""What goes wrong at a start or with a run's files, in Trainbell's own errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trainbell.domain.order import WhenBusy
from trainbell.errors import (
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.providers.local.launching import Outcome, SupervisorAnswer

NAME = "local"


def start_error(answer: SupervisorAnswer, when_busy: WhenBusy) -> Exception:
    details: dict[str, Any] = {"provider": NAME, "operation": "start"}
    if answer.outcome is Outcome.BUSY and when_busy is WhenBusy.WAIT:
        return ProviderThrottled(answer.message, **details)
    if answer.outcome in (Outcome.REJECTED, Outcome.BUSY):
        return ProviderRejected(answer.message, **details)
    if answer.outcome is Outcome.UNAVAILABLE:
        return ProviderUnavailable(answer.message, **details)
    return StartOutcomeUnknown(answer.message, **details)


def rejected(message: str) -> ProviderRejected:
    return ProviderRejected(message, provider=NAME, operation="start")


def missing() -> ProviderJobMissing:
    return ProviderJobMissing("nothing was ever launched for this job here", provider=NAME)


@contextmanager
def disk(operation: str) -> Iterator[None]:
    """The disk's trouble in our own words."""
    try:
        yield
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        where = f" ({Path(str(exc.filename)).name})" if exc.filename else ""
        message = f"cannot use the run directory: {reason}{where}"
        raise ProviderUnavailable(message, provider=NAME, operation=operation) from exc
    except ValueError as exc:
        raise ProviderReplyInvalid(str(exc), provider=NAME, operation=operation) from exc
