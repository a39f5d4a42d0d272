"""Calls on the installation itself: is it well, who am I, what are the limits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from trainbell.api.calls import ApiCall, ApiReply, reply
from trainbell.api.endpoints import Resource
from trainbell.api.reading import BODY_BYTES_AT_MOST, DEPTH_AT_MOST, PAGE_AT_MOST, PAGE_DEFAULT
from trainbell.domain.access import CallerKind, Right
from trainbell.domain.job import State
from trainbell.domain.order import MAX_INTERVAL_SECONDS, MIN_INTERVAL_SECONDS
from trainbell.domain.size_bounds import ORDER_BYTES_AT_MOST
from trainbell.ports import RecordKind
from trainbell.use_cases.ground.departure import departure
from trainbell.use_cases.jobs.job_request import TAGS_AT_MOST
from trainbell.use_cases.jobs.read_logs import LINES_AT_MOST
from trainbell.use_cases.jobs.request_job import TOKEN_LIVES_FOR
from trainbell.version import __version__
from trainbell.views.view import View

health = Resource("health")


class HealthView(View):
    """`active_jobs` counts them by state, over all projects; it may be approximate.

    `unreadable` counts the stored records that cannot be read, by kind: kept, set aside, named in
    the log. Empty where all is well. `departed_at`: since when the jobs go to another Trainbell.
    """

    status: str
    engine: str
    version: str
    active_jobs: Mapping[State, int]
    unreadable: Mapping[RecordKind, int]
    departed_at: datetime | None


class CallerView(View):
    """`by` is what jobs and events record."""

    by: str
    kind: CallerKind
    rights: list[Right]
    engine: str


class LimitsView(View):
    """What every caller must keep to."""

    body_bytes: int
    body_depth: int
    parameter_bytes: int
    tags: int
    log_lines: int
    page_items: int
    page_items_default: int
    idempotency_seconds: int
    min_interval_seconds_default: float
    max_interval_seconds_default: float


@health.call("GET", "/v1/health", returns={200: HealthView})
def get_health(call: ApiCall) -> ApiReply:
    """Whether it works, down to its store."""
    store = call.services.store
    gone = departure(call.services)
    view = HealthView(
        status="ok",
        engine=call.services.engine,
        version=__version__,
        active_jobs=dict(store.count_by_state()),
        unreadable=dict(store.unreadable()),
        departed_at=None if gone is None else gone.begun_at,
    )
    return reply(view)


@health.call("GET", "/v1/whoami", returns={200: CallerView})
def get_caller(call: ApiCall) -> ApiReply:
    """Who the caller is, as Trainbell sees it."""
    return reply(
        CallerView(
            by=call.by.id,
            kind=call.by.kind,
            rights=sorted(call.by.rights),
            engine=call.services.engine,
        )
    )


@health.call("GET", "/v1/limits", returns={200: LimitsView})
def get_limits(_: ApiCall) -> ApiReply:
    """The bounds of inputs and lists."""
    view = LimitsView(
        body_bytes=BODY_BYTES_AT_MOST,
        body_depth=DEPTH_AT_MOST,
        parameter_bytes=ORDER_BYTES_AT_MOST,
        tags=TAGS_AT_MOST,
        log_lines=LINES_AT_MOST,
        page_items=PAGE_AT_MOST,
        page_items_default=PAGE_DEFAULT,
        idempotency_seconds=int(TOKEN_LIVES_FOR.total_seconds()),
        min_interval_seconds_default=MIN_INTERVAL_SECONDS,
        max_interval_seconds_default=MAX_INTERVAL_SECONDS,
    )
    return reply(view)
