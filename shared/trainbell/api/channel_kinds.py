"""Calls on kinds of channel: what each needs to be set up with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainbell.api.calls import ApiCall, ApiReply, reply
from trainbell.api.endpoints import Resource
from trainbell.ports import ChannelSpec
from trainbell.use_cases.ground.find_channels import all_channel_kinds
from trainbell.views.view import View

channel_kinds = Resource("channel-kinds")


class ChannelKindView(View):
    """`target_pattern` is a regular expression; `options` is a JSON Schema, if there are any."""

    name: str
    title: str
    needs_target: bool
    needs_secret: bool
    target_pattern: str | None
    options: Mapping[str, Any] | None


class ChannelKindList(View):
    items: list[ChannelKindView]
    next_cursor: str | None


@channel_kinds.call("GET", "/v1/channel-kinds", returns={200: ChannelKindList})
def list_channel_kinds(call: ApiCall) -> ApiReply:
    """Every kind of channel of this installation."""
    items = [_view(spec) for spec in all_channel_kinds(call.services)]
    return reply(ChannelKindList(items=items, next_cursor=None))


def _view(spec: ChannelSpec) -> ChannelKindView:
    return ChannelKindView(
        name=spec.name,
        title=spec.title,
        needs_target=spec.needs_target,
        needs_secret=spec.needs_secret,
        target_pattern=spec.target_pattern,
        options=None if spec.options is None else spec.options.model_json_schema(),
    )
