"""The public view of a job: a summary for lists, the facts that events carry, all for its reader.

Each view's fields are the allow-list. What is asked for is read from the job's order by name, so
a new field of an order is shown by naming it in `OrderView` or `JobFacts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from trainbell.domain.failure import Failure
from trainbell.domain.job import EndReason, Job, State
from trainbell.domain.order import OnUnclear, Order, WhenBusy
from trainbell.domain.progress import forecast_end, trail_of
from trainbell.views.view import View


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


class OrderView(View):
    """What was asked for, as lists show it."""

    provider: str
    connection: str
    kind: str
    project: str
    name: str | None
    dataset: str | None
    model: str | None
    tags: Mapping[str, str]
    deadline_at: datetime | None


class JobSummary(OrderView):
    """A job in a list. `next_poll_at` is when Trainbell looks again; `eta_at` a forecast."""

    id: str
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
    next_poll_at: datetime | None
    last_error: LastErrorView | None
    schedule: str | None
    retry_of: str | None
    found_again_of: str | None
    requested_by: str
    url: str | None


class JobFacts(JobSummary):
    """What leaves the house with an event: all that a receiver needs to act without asking."""

    performance: PerformanceView
    parameters: Mapping[str, Any]
    handle: Mapping[str, Any] | None
    exit_code: int | None
    signal: str | None
    cancel_requested_at: datetime | None
    cancel_requested_by: str | None
    error_details: Any


class JobView(JobFacts):
    """All that is shown of one job: how it is watched, too. `cut` names the parts of which the
    service has said more than is kept here; `GET /v1/jobs/{id}/in-full` has those of `in_full`.
    `moved_at`: since when another Trainbell watches it."""

    when_busy: WhenBusy
    on_unclear: OnUnclear
    min_interval_seconds: float
    max_interval_seconds: float
    unknown_statuses: list[str]
    cut: list[str]
    in_full: list[str]
    cancel_sent_at: datetime | None
    start_attempts: int
    polls: int
    failed_polls_in_a_row: int
    last_polled_at: datetime | None
    last_seen_at: datetime | None
    moved_at: datetime | None
    updated_at: datetime | None
    revision: int


class JobList(View):
    """`unreadable` names what belongs on this page and cannot be read."""

    items: list[JobSummary]
    next_cursor: str | None
    unreadable: list[str]


class JobPerformanceView(View):
    job_id: str
    state: State
    model: str | None
    dataset: str | None
    performance: PerformanceView


def job_summary(job: Job, now: datetime, url: str | None) -> JobSummary:
    return JobSummary(
        **_summarised(job, now, url),
        performance=MetricsView(metrics=dict(job.seen.performance.metrics)),
    )


def job_facts(job: Job, now: datetime, url: str | None) -> JobFacts:
    return JobFacts(**_facts(job, now, url))


def job_view(job: Job, now: datetime, url: str | None) -> JobView:
    """The job as it is at `now`. `url`: where people read about it, if anywhere."""
    return JobView(
        **_facts(job, now, url),
        when_busy=job.order.when_busy,
        on_unclear=job.order.on_unclear,
        min_interval_seconds=job.order.min_interval_seconds,
        max_interval_seconds=job.order.max_interval_seconds,
        unknown_statuses=list(job.seen.unknown_statuses),
        cut=list(job.seen.cut),
        in_full=list(job.seen.in_full),
        cancel_sent_at=job.cancel.sent_at,
        start_attempts=job.start.attempts,
        polls=job.watch.polls,
        failed_polls_in_a_row=job.watch.failed_polls_in_a_row,
        last_polled_at=job.watch.last_polled_at,
        moved_at=job.watch.moved_at,
        last_seen_at=job.seen.at,
        updated_at=job.updated_at,
        revision=job.revision,
    )


def job_performance_view(job: Job) -> JobPerformanceView:
    return JobPerformanceView(
        job_id=job.id,
        state=job.state,
        model=job.order.model,
        dataset=job.order.dataset,
        performance=_performance_view(job),
    )


def last_error_view(error: Failure | None) -> LastErrorView | None:
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


def _summarised(job: Job, now: datetime, url: str | None) -> dict[str, Any]:
    return {
        **_asked(job.order),
        "id": job.id,
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
        "next_poll_at": job.watch.next_poll_at,
        "last_error": last_error_view(job.watch.last_error),
        "schedule": job.origin.schedule,
        "retry_of": job.origin.retry_of,
        "found_again_of": job.origin.found_again_of,
        "requested_by": job.origin.requested_by,
        "url": url,
    }


def _facts(job: Job, now: datetime, url: str | None) -> dict[str, Any]:
    return {
        **_summarised(job, now, url),
        "performance": _performance_view(job),
        "parameters": dict(job.order.parameters),
        "handle": None if job.handle is None else dict(job.handle),
        "exit_code": job.seen.exit_code,
        "signal": job.seen.signal,
        "cancel_requested_at": job.cancel.requested_at,
        "cancel_requested_by": job.cancel.requested_by,
        "error_details": job.watch.last_error.details if job.watch.last_error else None,
    }


def _asked(order: Order) -> dict[str, Any]:
    return {name: getattr(order, name) for name in OrderView.model_fields}


def _performance_view(job: Job) -> PerformanceView:
    return PerformanceView.model_validate(asdict(job.seen.performance))


def _eta(job: Job, now: datetime) -> datetime | None:
    """The middle of the window in which the end is expected, if that still lies ahead."""
    forecast = None if job.is_ended else forecast_end(trail_of(job), now)
    if forecast is None:
        return None
    seconds = (forecast.earliest_seconds + forecast.latest_seconds) / 2
    if not 0 < seconds < timedelta(days=3650).total_seconds():
        return None
    return now + timedelta(seconds=round(seconds))
