"""Posts one message to an incoming webhook, and understands Slack's answer."""

from __future__ import annotations

import httpx

from trainbell.channels.slack.hosts import HOSTS
from trainbell.channels.slack.message import slack_message
from trainbell.channels.webhook import Webhook, refusal_of, webhook_url
from trainbell.ports import ChannelContext, Notice

RECEIVER = "Slack"


class SlackChannel:
    """The webhook's URL is the secret.

    Slack says 200 and `ok`; 400 invalid_payload, 403 action_prohibited, 404 channel_not_found or
    no_service, 410 channel_is_archived ask for a person; 429 and 5xx pass by themselves
    (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
    """

    def __init__(self, context: ChannelContext) -> None:
        self._allow_loopback = context.allow_loopback
        self._webhook = Webhook(RECEIVER, context)

    def send(self, notice: Notice) -> None:
        """Raises NotifyUnavailable, NotifyRejected, or ConfigInvalid (its secret is no webhook)."""
        url = slack_url(self._webhook.secret(), allow_loopback=self._allow_loopback)
        error = refusal_of(RECEIVER, self._webhook.post(url, slack_message(notice)))
        if error is not None:
            raise error

    def close(self) -> None:
        self._webhook.close()


def slack_url(secret: str, *, allow_loopback: bool) -> httpx.URL:
    """Raises ConfigInvalid where the secret is no incoming webhook of Slack's."""
    return webhook_url(
        secret,
        receiver=RECEIVER,
        hosts=frozenset(HOSTS),
        example="an incoming webhook: https://hooks.slack.com/…",
        allow_loopback=allow_loopback,
    )
