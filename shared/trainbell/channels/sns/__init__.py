"""SNS: a message to a topic, and from there to e-mail, queues, functions, phones."""

from __future__ import annotations

from trainbell.ports import Channel, ChannelContext, ChannelSpec


def _build(context: ChannelContext) -> Channel:
    from trainbell.channels.sns.channel import SnsChannel

    return SnsChannel(context)


CHANNEL = ChannelSpec(
    name="sns",
    title="An SNS topic",
    build=_build,
    needs_target=True,
    target_pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$",
)
