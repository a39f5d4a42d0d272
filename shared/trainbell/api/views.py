"""What the API shows of jobs. Times are RFC 3339 in UTC; secrets are not in here at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from trainbell.domain.job import EndReason, Job, LastError, State
from trainbell.domain.order import WhenBusy
from trainbell.domain.progress import forecast_end, trail_of
from trainbell.use_cases.ground.services import Services


class View(BaseModel):
    """Something that the API shows. Numbers that are not finite appear as null."""

    # Built when first used: a handler that is imported need not pay for all of them.
    model_config = ConfigDict(defer_build=True, frozen=True)


class MetricsView(View):
    metrics: Mapping[str, float | None]


class PerformanceView(MetricsView):
    """`per_tag`: class or label → metric → number. `cost`: name with unit → number."""

    per_tag: Mapping[str, Mapping[str, float | None]]
    curve: list[Mapping[str, float | None]]
    cost: Mapping[str, float | None]
    artifacts: Mapping[str, str]


class LastErrorView(View):
    """What went wrong most recently, in the service's own words where it has any."""

    type: str
    message: str
    at: datetime
    http_status: int | None
    vendor_code: str | None
    request_id: str | None


class JobSummary(View):
    """A job in a list. `next_poll_at` is when Trainbell looks again; `eta_at` a forecast."""

    id: str
    project: str
    name: str | None
    provider: str
    connection: str
    kind: str
    dataset: str | None
    model: str | None
    tags: Mapping[str, str]
    state: State
    end_reason: EndReason | None
    has_ended: bool
    vendor_status: str | None
    stage: str | None
    progress: float | None
    eta_at: datetime | None
    queue_position: int | None
    message: str | None
    performance: MetricsView
    may_still_cost: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    duration_seconds: float
    deadline_at: datetime | None
    next_poll_at: datetime | None
    last_error: LastErrorView | None
    schedule: str | None
    retry_of: str | None
    requested_by: str
    url: str | None


class JobView(JobSummary):
    """All that is shown of one job."""

    performance: PerformanceView
    parameters: Mapping[str, Any]
    handle: Mapping[str, Any] | None
    when_busy: WhenBusy
    min_interval_seconds: float
    max_interval_seconds: float
    unknown_statuses: list[str]
    exit_code: int | None
    signal: str | None
    cancel_requested_at: datetime | None
    cancel_requested_by: str | None
    cancel_sent_at: datetime | None
    start_attempts: int
    polls: int
    failed_polls_in_a_row: int
    last_polled_at: datetime | None
    last_seen_at: datetime | None
    updated_at: datetime | None
    error_details: Any
    revision: int


class JobList(View):
    items: list[JobSummary]
    next_cursor: str | None


class JobPerformanceView(View):
    job_id: str
    state: State
    model: str | None
    dataset: str | None
    performance: PerformanceView


def job_summary(services: Services, job: Job) -> JobSummary:
    return JobSummary(
        **_shared_fields(services, job),
        performance=MetricsView(metrics=dict(job.seen.performance.metrics)),
    )


def job_view(services: Services, job: Job) -> JobView:
    return JobView(
        **_shared_fields(services, job),
        performance=performance_view(job),
        parameters=dict(job.order.parameters),
        handle=None if job.handle is None else dict(job.handle),
        when_busy=job.order.when_busy,
        min_interval_seconds=job.order.min_interval_seconds,
        max_interval_seconds=job.order.max_interval_seconds,
        unknown_statuses=list(job.seen.unknown_statuses),
        exit_code=job.seen.exit_code,
        signal=job.seen.signal,
        cancel_requested_at=job.cancel.requested_at,
        cancel_requested_by=job.cancel.requested_by,
        cancel_sent_at=job.cancel.sent_at,
        start_attempts=job.start.attempts,
        polls=job.watch.polls,
        failed_polls_in_a_row=job.watch.failed_polls_in_a_row,
        last_polled_at=job.watch.last_polled_at,
        last_seen_at=job.seen.at,
        updated_at=job.updated_at,
        error_details=job.watch.last_error.details if job.watch.last_error else None,
        revision=job.revision,
    )


def performance_view(job: Job) -> PerformanceView:
    return PerformanceView.model_validate(asdict(job.seen.performance))


def _shared_fields(services: Services, job: Job) -> dict[str, Any]:
    now = services.clock.now()
    return {
        "id": job.id,
        "project": job.order.project,
        "name": job.order.name,
        "provider": job.order.provider,
        "connection": job.order.connection,
        "kind": job.order.kind,
        "dataset": job.order.dataset,
        "model": job.order.model,
        "tags": dict(job.order.tags),
        "state": job.state,
        "end_reason": job.end_reason,
        "has_ended": job.is_ended,
        "vendor_status": job.seen.vendor_status,
        "stage": job.seen.stage,
        "progress": job.seen.progress,
        "eta_at": _eta(job, now),
        "queue_position": job.seen.queue_position,
        "message": job.seen.message,
        "may_still_cost": job.may_still_cost,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "duration_seconds": max(0.0, job.duration(now).total_seconds()),
        "deadline_at": job.order.deadline_at,
        "next_poll_at": job.watch.next_poll_at,
        "last_error": last_error_view(job.watch.last_error),
        "schedule": job.origin.schedule,
        "retry_of": job.origin.retry_of,
        "requested_by": job.origin.requested_by,
        "url": services.job_url(job.id),
    }


def _eta(job: Job, now: datetime) -> datetime | None:
    """The middle of the window in which the end is expected, if that still lies ahead."""
    forecast = None if job.is_ended else forecast_end(trail_of(job), now)
    if forecast is None:
        return None
    seconds = (forecast.earliest_seconds + forecast.latest_seconds) / 2
    if not 0 < seconds < timedelta(days=3650).total_seconds():
        return None
    return now + timedelta(seconds=round(seconds))


def last_error_view(error: LastError | None) -> LastErrorView | None:
    if error is None:
        return None
    return LastErrorView(
        type=error.type,
        message=error.message,
        at=error.at,
        http_status=error.http_status,
        vendor_code=error.vendor_code,
        request_id=error.request_id,
    )
