"""Calls on connections."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from trainbell.api.calls import (
    ApiCall,
    ApiReply,
    no_content,
    reply,
    reply_document,
    reply_setting,
)
from trainbell.api.endpoints import Resource, WaitsFor
from trainbell.api.reading import IF_MATCH_HEADER, PageQuery, read_if_match, read_query
from trainbell.api.setting_lists import list_settings
from trainbell.domain.settings import Connection
from trainbell.use_cases.ground.find_connection import built_in_connections, find_connection
from trainbell.use_cases.settings.call_account import call_account
from trainbell.use_cases.settings.configure_connections import (
    ConnectionInput,
    delete_connection,
    put_connection,
    try_connection,
)
from trainbell.use_cases.settings.connection_trouble import what_is_wrong
from trainbell.views.settings import (
    CheckView,
    ConnectionDetailView,
    ConnectionList,
    ConnectionView,
    connection_detail,
    connection_view,
)


class CallParameters(BaseModel):
    """What the call takes: see `calls` at `GET /v1/providers/{name}`."""

    model_config = ConfigDict(extra="allow")


connections = Resource("connections")

_ONE = "/v1/connections/{name}"


@connections.call("GET", "/v1/connections", query=PageQuery, returns={200: ConnectionList})
def list_connections(call: ApiCall) -> ApiReply:
    """Connections by name; those that are built in come last."""
    query = read_query(PageQuery, call.request.query)
    built_in = built_in_connections(call.services)
    page = list_settings(call.services, Connection, query, built_in)
    items = [connection_view(connection) for connection in page.items]
    return reply(
        ConnectionList(items=items, next_cursor=page.next_cursor, unreadable=list(page.unreadable))
    )


@connections.call("GET", _ONE, returns={200: ConnectionDetailView}, refuses=(404,))
def get_connection(call: ApiCall) -> ApiReply:
    """One connection, and what is wrong with it. Its secret is shown as a reference."""
    connection = find_connection(call.services, call.path["name"])
    detail = connection_detail(connection, what_is_wrong(call.services, connection.name))
    return reply_setting(detail, connection.revision)


@connections.call(
    "PUT",
    _ONE,
    body=ConnectionInput,
    headers=IF_MATCH_HEADER,
    returns={201: ConnectionView, 200: ConnectionView},
    refuses=(409, 412, 413, 415, 422, 507),
)
def replace_connection(call: ApiCall) -> ApiReply:
    """Create or replace a connection."""
    connection, is_new = put_connection(
        call.services,
        call.path["name"],
        call.body,
        if_match=read_if_match(call.request.headers),
    )
    return reply_setting(connection_view(connection), connection.revision, 201 if is_new else 200)


@connections.call(
    "DELETE", _ONE, headers=IF_MATCH_HEADER, returns={204: None}, refuses=(404, 409, 412)
)
def remove_connection(call: ApiCall) -> ApiReply:
    """Delete a connection that no active job uses."""
    if_match = read_if_match(call.request.headers)
    delete_connection(call.services, call.path["name"], if_match=if_match)
    return no_content()


@connections.call(
    "POST",
    _ONE + "/test",
    returns={200: CheckView},
    refuses=(404, 409, 502),
    waits_for=WaitsFor.SERVICE,
)
def _try_connection(call: ApiCall) -> ApiReply:
    """Try a connection for real, without changing anything at its service."""
    name = call.path["name"]
    return reply(CheckView(name=name, ok=True, message=try_connection(call.services, name)))


@connections.call(
    "POST",
    _ONE + "/calls/{call}",
    body=CallParameters,
    returns={200: dict},
    refuses=(404, 409, 413, 415, 422, 502),
    waits_for=WaitsFor.SERVICE,
)
def _call_account(call: ApiCall) -> ApiReply:
    """Ask a connection's service something that is about no job: what is there, what is to go."""
    path = call.path
    return reply_document(call_account(call.services, path["name"], path["call"], call.body))
