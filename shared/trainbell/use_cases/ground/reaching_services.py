"""The way to a job's service: its connection, its client, its rate budget, and what can fail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trainbell.domain.job import Job
from trainbell.domain.lifecycle import WatchRules
from trainbell.domain.observation import FailureKind, PollFailure
from trainbell.domain.polling import Pace
from trainbell.domain.rate_budget import place_is_good
from trainbell.domain.recording import Decision
from trainbell.domain.settings import Connection
from trainbell.errors import (
    NotFound,
    ProviderAuthFailed,
    ProviderError,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderThrottled,
    TrainbellError,
)
from trainbell.ports import Handle, Provider, ProviderSpec
from trainbell.use_cases.ground.find_connection import find_connection
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services, log

MESSAGE_KEPT = 2000

_KINDS: tuple[tuple[type[ProviderError], FailureKind], ...] = (
    (ProviderThrottled, FailureKind.THROTTLED),
    (ProviderAuthFailed, FailureKind.AUTH),
    (ProviderRejected, FailureKind.REJECTED),
    (ProviderJobMissing, FailureKind.MISSING),
    (ProviderReplyInvalid, FailureKind.INVALID),
    (ProviderError, FailureKind.UNAVAILABLE),
)


@dataclass(frozen=True, slots=True)
class Route:
    """How one job reaches its service."""

    connection: Connection
    spec: ProviderSpec
    client: Provider
    kind: str

    @property
    def rules(self) -> WatchRules:
        return WatchRules(self.spec.cancels(self.kind), self.spec.missing_grace_seconds)

    @property
    def calls_per_minute(self) -> float | None:
        return self.connection.calls_per_minute or self.spec.calls_per_minute


def route_of(services: Services, job: Job) -> Route:
    """Raises NotFound or ConfigInvalid where the connection or its secret is gone or wrong."""
    connection = find_connection(services, job.order.connection)
    if connection.provider != job.order.provider:
        raise NotFound(
            f"connection {job.order.connection} is now of provider {connection.provider}, "
            f"but this job is at {job.order.provider}: restore it, or the job cannot be watched"
        )
    spec = services.providers.spec(job.order.provider)
    return Route(connection, spec, services.providers.client(connection), job.order.kind)


def failure_of(error: Exception, at: datetime) -> PollFailure:
    """An error as data. One that nobody foresaw is kept by its type, as an unreadable answer."""
    if not isinstance(error, ProviderError):
        return _unforeseen(error, at)
    return PollFailure(
        seen_at=at,
        kind=next(kind for cls, kind in _KINDS if isinstance(error, cls)),
        error_type=type(error).__name__,
        message=str(error)[:MESSAGE_KEPT],
        retry_after_seconds=error.retry_after_seconds,
        http_status=error.http_status,
        vendor_code=error.vendor_code,
        request_id=error.request_id,
        details=error.details,
    )


def _unforeseen(error: Exception, at: datetime) -> PollFailure:
    name = type(error).__name__
    if isinstance(error, TrainbellError):
        # No such connection, secret or setting: a person must mend it, as with a wrong key.
        kind, message = FailureKind.AUTH, str(error)
    else:
        log.error("a provider failed in a way it does not declare", exc_info=error)
        kind, message = FailureKind.INVALID, f"the provider failed with {name}; see the log"
    return PollFailure(seen_at=at, kind=kind, error_type=name, message=message[:MESSAGE_KEPT])


def pace_of(services: Services, job: Job, now: datetime) -> Pace:
    return Pace(history=services.histories.of(job, now), chance=services.random.random())


def place_in_line(services: Services, job: Job, route: Route, now: datetime) -> Job | None:
    """None where the service may be called now; else the job, stored with its later place."""
    budget = route.calls_per_minute
    if budget is None or place_is_good(job.watch.reserved_call_at, now):
        return None
    place = services.store.reserve_call(route.connection.name, budget, now)
    if place <= now:
        return None
    saved, _ = record(
        services,
        job,
        lambda current: _with_place(current, place),
    )
    return saved


def _with_place(job: Job, place: datetime) -> Decision:
    watch = replace(job.watch, next_poll_at=place, reserved_call_at=place)
    return Decision(replace(job, watch=watch))


def keep_silence(services: Services, route: Route, failure: PollFailure, now: datetime) -> None:
    """A service that throttles one job is left alone by all jobs of that connection."""
    if (
        failure.kind is FailureKind.THROTTLED
        and failure.retry_after_seconds
        and route.calls_per_minute is not None
    ):
        until = now + timedelta(seconds=failure.retry_after_seconds)
        services.store.hold_calls(route.connection.name, until)


def handle_of(job: Job) -> Handle:
    if job.handle is None:
        raise ValueError(f"job {job.id} has no handle yet")
    return job.handle
