"""What is shown of connections, channels, schedules and providers. A secret is shown as the
reference that it is configured by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trainbell.domain.events import EventType
from trainbell.domain.failure import Failure
from trainbell.domain.outbox import OutboxEntry
from trainbell.domain.settings import ChannelConfig, Connection, Schedule
from trainbell.ports import ProviderSpec, ServiceState
from trainbell.views.job import LastErrorView, last_error_view
from trainbell.views.view import View


class ConnectionView(View):
    """`built_in`: works without having been configured."""

    name: str
    provider: str
    base_url: str | None
    secret: str | None
    calls_per_minute: float | None
    max_active: int | None
    settle_seconds: float | None
    options: Mapping[str, Any]
    built_in: bool
    created_at: datetime | None
    updated_at: datetime | None


class ConnectionDetailView(ConnectionView):
    """`last_error`: what its jobs say that only a person can mend, such as a wrong key."""

    last_error: LastErrorView | None


class ConnectionList(View):
    """`unreadable` names what belongs on this page and cannot be read."""

    items: list[ConnectionView]
    next_cursor: str | None
    unreadable: list[str]


class ChannelView(View):
    """`built_in`: the installation itself brings it. `project` null: tells of all projects."""

    name: str
    kind: str
    target: str | None
    secret: str | None
    events: list[EventType]
    project: str | None
    options: Mapping[str, Any]
    built_in: bool
    created_at: datetime | None
    updated_at: datetime | None


class ChannelDetailView(ChannelView):
    """`refused_at`, `last_error`: what its receiver refuses, and only a person can mend."""

    last_error: str | None
    refused_at: datetime | None


class ChannelList(View):
    """`unreadable` names what belongs on this page and cannot be read."""

    items: list[ChannelView]
    next_cursor: str | None
    unreadable: list[str]


class ScheduleView(View):
    """`job` is the body of `POST /v1/jobs` that each due time sends."""

    name: str
    expression: str
    time_zone: str
    enabled: bool
    project: str
    job: Mapping[str, Any]
    next_due_at: datetime | None
    last_due_at: datetime | None
    last_job_id: str | None
    last_error: str | None
    created_at: datetime | None
    updated_at: datetime | None


class ScheduleList(View):
    """`unreadable` names what belongs on this page and cannot be read."""

    items: list[ScheduleView]
    next_cursor: str | None
    unreadable: list[str]


class CheckView(View):
    """A try that went well; one that did not is a problem document."""

    name: str
    ok: bool
    message: str


class ServiceView(View):
    """What is known of the service itself, as of a date, from a public source."""

    state: ServiceState
    as_of: str
    note: str
    source: str


class KindView(View):
    """A kind of job. `parameters` is a JSON Schema; `cancel`: whether it can be cancelled; `logs`:
    whether the service has a log of it."""

    name: str
    title: str
    cancel: bool
    logs: bool
    parameters: Mapping[str, Any]


class CallView(View):
    """A call at the service beside its jobs. `changes`: whether something is another afterwards;
    `deprecated`: by the service itself. `parameters` is a JSON Schema."""

    name: str
    title: str
    changes: bool
    deprecated: bool
    parameters: Mapping[str, Any]


class AbilitiesView(View):
    cancel: bool
    logs: bool
    progress: bool
    one_active_per_dataset: bool
    embedded_only: bool


class ProviderView(View):
    """`options` is the JSON Schema of a connection's options, if it has any."""

    name: str
    title: str
    service: ServiceView
    abilities: AbilitiesView
    needs_base_url: bool
    needs_secret: bool
    default_base_url: str | None
    calls_per_minute: float | None
    options: Mapping[str, Any] | None
    kinds: list[KindView]
    calls: list[CallView]


class ProviderList(View):
    items: list[ProviderView]
    next_cursor: str | None


def connection_view(connection: Connection) -> ConnectionView:
    return ConnectionView(
        name=connection.name,
        provider=connection.provider,
        base_url=connection.base_url,
        secret=connection.secret,
        calls_per_minute=connection.calls_per_minute,
        max_active=connection.max_active,
        settle_seconds=connection.settle_seconds,
        options=dict(connection.options),
        built_in=connection.created_at is None,
        created_at=connection.created_at,
        updated_at=connection.updated_at,
    )


def connection_detail(connection: Connection, error: Failure | None) -> ConnectionDetailView:
    return ConnectionDetailView(
        **connection_view(connection).model_dump(), last_error=last_error_view(error)
    )


def channel_view(channel: ChannelConfig) -> ChannelView:
    return ChannelView(
        name=channel.name,
        kind=channel.kind,
        target=channel.target,
        secret=channel.secret,
        events=list(channel.events),
        project=channel.project,
        options=dict(channel.options),
        built_in=channel.created_at is None,
        created_at=channel.created_at,
        updated_at=channel.updated_at,
    )


def channel_detail(channel: ChannelConfig, refused: OutboxEntry | None) -> ChannelDetailView:
    return ChannelDetailView(
        **channel_view(channel).model_dump(),
        last_error=None if refused is None else refused.last_error,
        refused_at=None if refused is None else refused.created_at,
    )


def schedule_view(schedule: Schedule) -> ScheduleView:
    return ScheduleView(
        name=schedule.name,
        expression=schedule.expression,
        time_zone=schedule.time_zone,
        enabled=schedule.enabled,
        project=schedule.project,
        job=dict(schedule.job),
        next_due_at=schedule.next_due_at,
        last_due_at=schedule.last_due_at,
        last_job_id=schedule.last_job_id,
        last_error=schedule.last_error,
        created_at=schedule.created_at,
        updated_at=schedule.updated_at,
    )


def provider_view(spec: ProviderSpec) -> ProviderView:
    return ProviderView(
        name=spec.name,
        title=spec.title,
        service=ServiceView(
            state=spec.service.state,
            as_of=spec.service.as_of,
            note=spec.service.note,
            source=spec.service.source,
        ),
        abilities=AbilitiesView(
            cancel=spec.can_cancel,
            logs=spec.has_logs,
            progress=spec.has_progress,
            one_active_per_dataset=spec.one_active_per_dataset,
            embedded_only=spec.embedded_only,
        ),
        needs_base_url=spec.needs_url and spec.default_base_url is None,
        needs_secret=spec.needs_secret,
        default_base_url=spec.default_base_url,
        calls_per_minute=spec.calls_per_minute,
        options=None if spec.options is None else spec.options.model_json_schema(),
        kinds=[
            KindView(
                name=kind.name,
                title=kind.title,
                cancel=spec.cancels(kind.name),
                logs=spec.logs(kind.name),
                parameters=kind.parameters.model_json_schema(),
            )
            for kind in spec.kinds.values()
        ],
        calls=[
            CallView(
                name=call.name,
                title=call.title,
                changes=call.changes,
                deprecated=call.deprecated,
                parameters=call.parameters.model_json_schema(),
            )
            for call in spec.calls.values()
        ],
    )
