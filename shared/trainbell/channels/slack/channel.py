"""Posts one message to an incoming webhook, and understands Slack's answer."""

from __future__ import annotations

from ipaddress import ip_address

import httpx

from trainbell.channels.slack.message import slack_message
from trainbell.channels.webhook import Webhook, refusal_of
from trainbell.errors import ConfigInvalid
from trainbell.ports import ChannelContext, Notice

HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
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
        url = webhook_url(self._webhook.secret(), allow_loopback=self._allow_loopback)
        error = refusal_of(RECEIVER, self._webhook.post(url, slack_message(notice)))
        if error is not None:
            raise error

    def close(self) -> None:
        self._webhook.close()


def webhook_url(secret: str, *, allow_loopback: bool) -> httpx.URL:
    """The secret as a URL that may be called: Slack's own hosts by https, and nothing else.

    With `allow_loopback` a receiver at a loopback address will do, in plain http as well: that is
    how the demo and the tests listen. A secret that names any other host would turn this channel
    into a way to reach inner services.

    Raises:
        ConfigInvalid: anything else; the message does not repeat the secret.
    """
    try:
        url = httpx.URL(secret)
    except (httpx.InvalidURL, TypeError):
        raise ConfigInvalid("the secret of the Slack channel is not a URL") from None
    if url.scheme == "https" and url.host in HOSTS and url.port is None and not url.userinfo:
        return url
    if allow_loopback and url.scheme in ("http", "https") and _is_loopback(url.host):
        return url
    raise ConfigInvalid(
        "the secret of the Slack channel must be an incoming webhook: https://hooks.slack.com/…"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
