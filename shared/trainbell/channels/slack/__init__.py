"""Slack: a message in a channel, by an incoming webhook."""

from __future__ import annotations

from trainbell.channels.slack.hosts import HOSTS
from trainbell.ports import Channel, ChannelContext, ChannelSpec


def _build(context: ChannelContext) -> Channel:
    from trainbell.channels.slack.channel import SlackChannel

    return SlackChannel(context)


CHANNEL = ChannelSpec(
    name="slack",
    title="Slack, by an incoming webhook",
    build=_build,
    needs_secret=True,
    hosts=HOSTS,
)
