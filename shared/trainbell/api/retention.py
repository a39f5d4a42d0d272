"""Calls on retention: for how long a project's ended jobs are kept."""

from __future__ import annotations

from datetime import datetime

from trainbell.api.calls import ApiCall, ApiReply, no_content, reply, reply_setting
from trainbell.api.endpoints import Resource
from trainbell.api.reading import IF_MATCH_HEADER, PageQuery, read_if_match, read_query
from trainbell.api.setting_lists import list_settings
from trainbell.domain.settings import Retention
from trainbell.use_cases.settings.configure_retention import (
    RetentionInput,
    delete_retention,
    get_retention,
    put_retention,
)
from trainbell.views.view import View

retention = Resource("retention")

_ONE = "/v1/retention/{name}"


class RetentionView(View):
    """`name` is the project's. A job is forgotten so many days after its end."""

    name: str
    days: int
    created_at: datetime | None
    updated_at: datetime | None


class RetentionList(View):
    """`unreadable` names what belongs on this page and cannot be read."""

    items: list[RetentionView]
    next_cursor: str | None
    unreadable: list[str]


@retention.call("GET", "/v1/retention", query=PageQuery, returns={200: RetentionList})
def list_retention(call: ApiCall) -> ApiReply:
    """Projects that do not keep their jobs for ever, by name."""
    page = list_settings(call.services, Retention, read_query(PageQuery, call.request.query))
    items = [_view(each) for each in page.items]
    unreadable = list(page.unreadable)
    return reply(RetentionList(items=items, next_cursor=page.next_cursor, unreadable=unreadable))


@retention.call("GET", _ONE, returns={200: RetentionView}, refuses=(404,))
def show_retention(call: ApiCall) -> ApiReply:
    """For how long one project's jobs are kept."""
    found = get_retention(call.services, call.path["name"])
    return reply_setting(_view(found), found.revision)


@retention.call(
    "PUT",
    _ONE,
    body=RetentionInput,
    headers=IF_MATCH_HEADER,
    returns={201: RetentionView, 200: RetentionView},
    refuses=(412, 413, 415, 422, 507),
)
def replace_retention(call: ApiCall) -> ApiReply:
    """Have a project's ended jobs forgotten so many days after their end."""
    put, is_new = put_retention(
        call.services,
        call.path["name"],
        call.body,
        if_match=read_if_match(call.request.headers),
    )
    return reply_setting(_view(put), put.revision, 201 if is_new else 200)


@retention.call("DELETE", _ONE, headers=IF_MATCH_HEADER, returns={204: None}, refuses=(404, 412))
def remove_retention(call: ApiCall) -> ApiReply:
    """Keep a project's jobs for ever."""
    if_match = read_if_match(call.request.headers)
    delete_retention(call.services, call.path["name"], if_match=if_match)
    return no_content()


def _view(setting: Retention) -> RetentionView:
    return RetentionView(
        name=setting.name,
        days=setting.days,
        created_at=setting.created_at,
        updated_at=setting.updated_at,
    )
