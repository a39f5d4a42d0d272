"""Calls on jobs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from pydantic import ConfigDict, Field

from trainbell.api.calls import ApiCall, ApiReply, no_content, reply
from trainbell.api.endpoints import Resource, WaitsFor
from trainbell.api.reading import PageQuery, QueryModel, UtcTime, read_model, read_query
from trainbell.domain.job import Job, State
from trainbell.domain.order import DEFAULT_PROJECT
from trainbell.errors import InputInvalid, NotFound
from trainbell.ports import JobQuery
from trainbell.use_cases.jobs.cancel_job import cancel_job
from trainbell.use_cases.jobs.forget_job import forget_job
from trainbell.use_cases.jobs.job_request import (
    JobRequest,
    SettingName,
    check_idempotency_key,
    check_job_request,
)
from trainbell.use_cases.jobs.keep_in_full import read_in_full
from trainbell.use_cases.jobs.read_logs import LINES_AT_MOST, read_logs
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.jobs.resend_job import resend_job
from trainbell.use_cases.jobs.retry_job import retry_job
from trainbell.use_cases.telling.redeliver import redeliver
from trainbell.views.job import (
    JobList,
    JobPerformanceView,
    JobSummary,
    JobView,
    job_performance_view,
    job_summary,
    job_view,
)
from trainbell.views.records import (
    DeliveryList,
    EventList,
    InFullView,
    LogView,
    delivery_view,
    event_view,
)
from trainbell.views.view import View

jobs = Resource("jobs")

IDEMPOTENCY_HEADER = {
    "Idempotency-Key": (
        "1 to 64 letters, digits and hyphens. The same key with the same input within 8 hours "
        "is answered with the same job (200); with other input it is refused (409)."
    )
}
Shown = TypeVar("Shown", bound=JobSummary)
_JOB_ID = re.compile(r"[0-9a-z]{26}")


class JobsQuery(PageQuery):
    """`tag` is a key, or `key=value`. Lists of states are repeated or separated by commas."""

    project: SettingName = DEFAULT_PROJECT
    state: frozenset[State] = Field(default=frozenset())
    provider: str | None = Field(None, max_length=63)
    kind: str | None = Field(None, max_length=255)
    model: str | None = Field(None, max_length=255)
    dataset: str | None = Field(None, max_length=255)
    tag: str | None = Field(None, min_length=1, max_length=512)
    created_after: UtcTime | None = None
    created_before: UtcTime | None = None


class LogsQuery(QueryModel):
    """How much of the log's end."""

    lines: int = Field(100, ge=1, le=LINES_AT_MOST)


@jobs.call(
    "POST",
    "/v1/jobs",
    body=JobRequest,
    headers=IDEMPOTENCY_HEADER,
    returns={201: JobView, 200: JobView},
    refuses=(409, 413, 415, 422, 507),
)
def start_job(call: ApiCall) -> ApiReply:
    """Start a job, once."""
    key = call.request.headers.get("idempotency-key")
    if key is not None:
        _check_key_with_body(call, key)
    job, is_new = request_job(call.services, call.body, by=call.by, idempotency_key=key)
    return _started(call, job, is_new)


@jobs.call("GET", "/v1/jobs", query=JobsQuery, returns={200: JobList})
def list_jobs(call: ApiCall) -> ApiReply:
    """Jobs of a project, the newest first."""
    query = read_query(JobsQuery, call.request.query)
    key, equals, value = (query.tag or "").partition("=")
    page = call.services.store.list(
        JobQuery(
            project=query.project,
            states=query.state,
            provider=query.provider,
            kind=query.kind,
            model=query.model,
            dataset=query.dataset,
            tag=(key, value if equals else None) if query.tag else None,
            created_after=query.created_after,
            created_before=query.created_before,
            limit=query.limit,
            cursor=query.cursor,
        )
    )
    items = [_shown(call, job, job_summary) for job in page.items]
    return reply(
        JobList(items=items, next_cursor=page.next_cursor, unreadable=list(page.unreadable))
    )


@jobs.call("GET", "/v1/jobs/{id}", returns={200: JobView}, refuses=(404,))
def get_job(call: ApiCall) -> ApiReply:
    """One job, as it is now."""
    return reply(_shown(call, _job(call), job_view))


@jobs.call("DELETE", "/v1/jobs/{id}", returns={204: None}, refuses=(404, 409))
def delete_job(call: ApiCall) -> ApiReply:
    """Forget an ended job with its events and deliveries."""
    forget_job(call.services, _job_id(call))
    return no_content()


@jobs.call(
    "POST",
    "/v1/jobs/{id}/cancel",
    returns={202: JobView},
    refuses=(404, 409),
    waits_for=WaitsFor.CANCEL,
)
def request_cancel(call: ApiCall) -> ApiReply:
    """Ask for a cancel. The job is cancelled when its service confirms it, not before."""
    job = cancel_job(call.services, _job_id(call), by=call.by)
    return reply(_shown(call, job, job_view), 202)


@jobs.call(
    "POST",
    "/v1/jobs/{id}/retry",
    headers=IDEMPOTENCY_HEADER,
    returns={201: JobView, 200: JobView},
    refuses=(404, 409, 422, 507),
)
def start_retry(call: ApiCall) -> ApiReply:
    """Start an ended job's training again, as a new job that is linked to the old one."""
    key = call.request.headers.get("idempotency-key")
    job, is_new = retry_job(call.services, _job_id(call), by=call.by, idempotency_key=key)
    return _started(call, job, is_new)


@jobs.call("GET", "/v1/jobs/{id}/events", query=PageQuery, returns={200: EventList}, refuses=(404,))
def list_events(call: ApiCall) -> ApiReply:
    """The job's audit trail, in order."""
    query = read_query(PageQuery, call.request.query)
    job = _job(call)
    page = call.services.store.events(job.id, limit=query.limit, cursor=query.cursor)
    items = [event_view(event) for event in page.items]
    return reply(
        EventList(items=items, next_cursor=page.next_cursor, unreadable=list(page.unreadable))
    )


@jobs.call(
    "GET",
    "/v1/jobs/{id}/logs",
    query=LogsQuery,
    returns={200: LogView},
    refuses=(404, 409, 502),
    waits_for=WaitsFor.SERVICE,
)
def get_logs(call: ApiCall) -> ApiReply:
    """The tail of the job's log, as its service has it."""
    query = read_query(LogsQuery, call.request.query)
    return reply(LogView(lines=list(read_logs(call.services, _job_id(call), query.lines))))


@jobs.call("GET", "/v1/jobs/{id}/in-full", returns={200: InFullView}, refuses=(404,))
def get_in_full(call: ApiCall) -> ApiReply:
    """What the service said at the job's end and the job itself cannot hold, where it is kept."""
    return reply(InFullView.model_validate(read_in_full(call.services, _job_id(call))))


@jobs.call("GET", "/v1/jobs/{id}/performance", returns={200: JobPerformanceView}, refuses=(404,))
def get_performance(call: ApiCall) -> ApiReply:
    """What the training is worth: metrics, per tag, learning curve, cost, artifacts."""
    return reply(job_performance_view(_job(call)))


@jobs.call("GET", "/v1/jobs/{id}/deliveries", returns={200: DeliveryList}, refuses=(404,))
def list_deliveries(call: ApiCall) -> ApiReply:
    """What became of telling the job's events to each channel."""
    entries = call.services.store.deliveries(_job(call).id)
    items = [delivery_view(entry) for entry in entries]
    return reply(DeliveryList(items=items, next_cursor=None))


class RedeliveryInput(View):
    """`channel`: only to this one, also what it was told already. None: what was given up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: SettingName | None = None


@jobs.call(
    "POST",
    "/v1/jobs/{id}/redeliver",
    body=RedeliveryInput,
    returns={202: DeliveryList},
    refuses=(404, 409, 413, 415),
)
def _redeliver(call: ApiCall) -> ApiReply:
    """Tell a job's events again, with the ids that they had."""
    given = read_model(RedeliveryInput, call.body)
    entries = redeliver(call.services, _job_id(call), channel=given.channel)
    items = [delivery_view(entry) for entry in entries]
    return reply(DeliveryList(items=items, next_cursor=None), 202)


@jobs.call("POST", "/v1/jobs/{id}/resend", returns={202: JobView}, refuses=(404, 409))
def _resend_job(call: ApiCall) -> ApiReply:
    """Answer that nothing of an unclear start is at the service: it is sent again."""
    job = resend_job(call.services, _job_id(call), by=call.by)
    return reply(_shown(call, job, job_view), 202)


def _job_id(call: ApiCall) -> str:
    job_id = call.path["id"]
    if not _JOB_ID.fullmatch(job_id):
        raise NotFound("there is no such job: an id has 26 letters and digits")
    return job_id


def _job(call: ApiCall) -> Job:
    return call.services.store.get(_job_id(call))


def _shown(call: ApiCall, job: Job, view: Callable[[Job, datetime, str | None], Shown]) -> Shown:
    services = call.services
    return view(job, services.clock.now(), services.job_url(job.id))


def _started(call: ApiCall, job: Job, is_new: bool) -> ApiReply:
    view = _shown(call, job, job_view)
    return reply(view, 201 if is_new else 200, Location=f"/v1/jobs/{job.id}")


def _check_key_with_body(call: ApiCall, key: str) -> None:
    """A wrong key is told together with all that is wrong with the body."""
    try:
        check_idempotency_key(key)
    except InputInvalid as key_wrong:
        try:
            check_job_request(call.services, call.body)
        except InputInvalid as body_wrong:
            raise InputInvalid([*key_wrong.problems, *body_wrong.problems]) from body_wrong
        raise
