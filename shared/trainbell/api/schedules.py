"""Calls on schedules."""

from __future__ import annotations

from trainbell.api.calls import ApiCall, ApiReply, no_content, reply, reply_setting
from trainbell.api.endpoints import Resource
from trainbell.api.reading import IF_MATCH_HEADER, PageQuery, read_if_match, read_query
from trainbell.api.setting_lists import list_settings
from trainbell.domain.settings import Schedule
from trainbell.use_cases.schedules.configure_schedules import (
    ScheduleInput,
    delete_schedule,
    put_schedule,
)
from trainbell.use_cases.schedules.try_schedule import find_schedule, try_schedule
from trainbell.views.settings import CheckView, ScheduleList, ScheduleView, schedule_view

schedules = Resource("schedules")

_ONE = "/v1/schedules/{name}"


@schedules.call("GET", "/v1/schedules", query=PageQuery, returns={200: ScheduleList})
def list_schedules(call: ApiCall) -> ApiReply:
    """Schedules by name."""
    page = list_settings(call.services, Schedule, read_query(PageQuery, call.request.query))
    items = [schedule_view(schedule) for schedule in page.items]
    return reply(
        ScheduleList(items=items, next_cursor=page.next_cursor, unreadable=list(page.unreadable))
    )


@schedules.call("GET", _ONE, returns={200: ScheduleView}, refuses=(404,))
def get_schedule(call: ApiCall) -> ApiReply:
    """One schedule."""
    schedule = find_schedule(call.services, call.path["name"])
    return reply_setting(schedule_view(schedule), schedule.revision)


@schedules.call(
    "PUT",
    _ONE,
    body=ScheduleInput,
    headers=IF_MATCH_HEADER,
    returns={201: ScheduleView, 200: ScheduleView},
    refuses=(409, 412, 413, 415, 422, 507),
)
def replace_schedule(call: ApiCall) -> ApiReply:
    """Create or replace a schedule. The job it starts is checked now."""
    schedule, is_new = put_schedule(
        call.services,
        call.path["name"],
        call.body,
        if_match=read_if_match(call.request.headers),
    )
    return reply_setting(schedule_view(schedule), schedule.revision, 201 if is_new else 200)


@schedules.call(
    "DELETE",
    _ONE,
    headers=IF_MATCH_HEADER,
    returns={204: None},
    refuses=(404, 412),
)
def remove_schedule(call: ApiCall) -> ApiReply:
    """Delete a schedule. The jobs that it has started go on."""
    if_match = read_if_match(call.request.headers)
    delete_schedule(call.services, call.path["name"], if_match=if_match)
    return no_content()


@schedules.call("POST", _ONE + "/test", returns={200: CheckView}, refuses=(404, 422))
def _try_schedule(call: ApiCall) -> ApiReply:
    """Check that its job could start now, and say when it is next due. Starts nothing."""
    name = call.path["name"]
    return reply(CheckView(name=name, ok=True, message=try_schedule(call.services, name)))
