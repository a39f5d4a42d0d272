"""Calls on channels."""

from __future__ import annotations

from trainbell.api.calls import ApiCall, ApiReply, no_content, reply, reply_setting
from trainbell.api.endpoints import Resource, WaitsFor
from trainbell.api.reading import IF_MATCH_HEADER, PageQuery, read_if_match, read_query
from trainbell.api.setting_lists import list_settings
from trainbell.domain.settings import ChannelConfig
from trainbell.use_cases.ground.deliveries import what_is_refused
from trainbell.use_cases.ground.find_channels import find_channel
from trainbell.use_cases.settings.configure_channels import (
    ChannelInput,
    delete_channel,
    put_channel,
    try_channel,
)
from trainbell.views.settings import (
    ChannelDetailView,
    ChannelList,
    ChannelView,
    CheckView,
    channel_detail,
    channel_view,
)

channels = Resource("channels")

_ONE = "/v1/channels/{name}"


@channels.call("GET", "/v1/channels", query=PageQuery, returns={200: ChannelList})
def list_channels(call: ApiCall) -> ApiReply:
    """Channels by name; those that the installation brings come last."""
    query = read_query(PageQuery, call.request.query)
    page = list_settings(call.services, ChannelConfig, query, call.services.channels.built_in())
    items = [channel_view(channel) for channel in page.items]
    return reply(
        ChannelList(items=items, next_cursor=page.next_cursor, unreadable=list(page.unreadable))
    )


@channels.call("GET", _ONE, returns={200: ChannelDetailView}, refuses=(404,))
def get_channel(call: ApiCall) -> ApiReply:
    """One channel, and what its receiver refuses. Its secret is shown as the reference it is."""
    channel = find_channel(call.services, call.path["name"])
    detail = channel_detail(channel, what_is_refused(call.services, channel.name))
    return reply_setting(detail, channel.revision)


@channels.call(
    "PUT",
    _ONE,
    body=ChannelInput,
    headers=IF_MATCH_HEADER,
    returns={201: ChannelView, 200: ChannelView},
    refuses=(409, 412, 413, 415, 422, 507),
)
def replace_channel(call: ApiCall) -> ApiReply:
    """Create or replace a channel."""
    channel, is_new = put_channel(
        call.services,
        call.path["name"],
        call.body,
        if_match=read_if_match(call.request.headers),
    )
    return reply_setting(channel_view(channel), channel.revision, 201 if is_new else 200)


@channels.call(
    "DELETE", _ONE, headers=IF_MATCH_HEADER, returns={204: None}, refuses=(404, 409, 412)
)
def remove_channel(call: ApiCall) -> ApiReply:
    """Delete a channel."""
    if_match = read_if_match(call.request.headers)
    delete_channel(call.services, call.path["name"], if_match=if_match)
    return no_content()


@channels.call(
    "POST",
    _ONE + "/test",
    returns={200: CheckView},
    refuses=(404, 409, 502),
    waits_for=WaitsFor.SERVICE,
)
def _try_channel(call: ApiCall) -> ApiReply:
    """Tell a made-up end to this channel, for real."""
    name = call.path["name"]
    return reply(CheckView(name=name, ok=True, message=try_channel(call.services, name)))
