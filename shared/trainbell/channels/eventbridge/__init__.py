"""EventBridge: an event on a bus, for whatever rules people attach."""

from __future__ import annotations

from trainbell.ports import Channel, ChannelContext, ChannelSpec


def _build(context: ChannelContext) -> Channel:
    from trainbell.channels.eventbridge.channel import EventBridgeChannel

    return EventBridgeChannel(context)


CHANNEL = ChannelSpec(
    name="eventbridge",
    title="An EventBridge bus",
    build=_build,
    needs_target=True,
    target_pattern=(
        r"^(arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/)?[A-Za-z0-9._/-]{1,256}$"
    ),
)
