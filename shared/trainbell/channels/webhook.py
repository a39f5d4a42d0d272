"""Posts JSON to a URL that is itself a secret, and says what an answer means.

For every channel that tells by a webhook: a deadline on each exchange, no redirect followed, no
more of an answer read than is shown, and no error that holds the URL.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, cast

import httpx

from trainbell.domain.addresses import CLOUD, EMBEDDED
from trainbell.errors import ConfigInvalid, NotifyError, NotifyRejected, NotifyUnavailable
from trainbell.extensions.bounded_http import REACH, WHOLE_SECONDS
from trainbell.extensions.retry_after import retry_after_seconds
from trainbell.extensions.transports import Transports
from trainbell.ports import ChannelContext

EXCHANGE = {
    "timeout": {"connect": 5.0, "read": 10.0, "write": 10.0, "pool": 5.0},
    WHOLE_SECONDS: 20.0,
}
ANSWER_BYTES_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class ReceiverAnswer:
    """The status, the beginning of what was answered, and the pause that was wished for."""

    status: int
    text: str
    retry_after_seconds: float | None


class Webhook:
    """`receiver` names who is told, such as "Slack". Thread-safe; it never repeats and never waits.

    The secret is read anew for each message, so that a new one counts at once.
    """

    def __init__(self, receiver: str, context: ChannelContext) -> None:
        self._receiver = receiver
        self._context = context
        # No proxy of the environment is used: it would see the URL, which is the secret.
        self._transports = Transports(context.transport)
        self._extensions = {**EXCHANGE, REACH: EMBEDDED if context.allow_loopback else CLOUD}

    def secret(self) -> str:
        """The channel's secret. Raises ConfigInvalid where it has none or it cannot be had."""
        config = self._context.config
        if config.secret is None:
            raise ConfigInvalid(f"channel {config.name} has no secret")
        return self._context.secrets.read(config.secret).strip()

    def post(self, url: httpx.URL | str, message: Any) -> ReceiverAnswer:
        """Raises NotifyUnavailable where there is no answer."""
        try:
            request = httpx.Request("POST", url, json=message, extensions=self._extensions)
            with self._transports.lease(fresh=True) as transport:
                response = transport.handle_request(request)
                said = _beginning(response)
        except httpx.TimeoutException:
            # Not chained: httpx keeps the request, and with it the URL.
            raise NotifyUnavailable(f"{self._receiver} did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise NotifyUnavailable(
                f"{self._receiver} could not be reached ({type(exc).__name__})"
            ) from None
        return ReceiverAnswer(
            response.status_code,
            said[:ANSWER_BYTES_AT_MOST].decode("utf-8", "replace"),
            retry_after_seconds(response.headers.get("retry-after"), self._context.clock.now()),
        )

    def close(self) -> None:
        self._transports.close()


def refusal_of(receiver: str, answer: ReceiverAnswer) -> NotifyError | None:
    """What an answer means; None: it was taken (2xx).

    408, 429 and 5xx pass by themselves; anything else asks for a person. Of the answer's text only
    a single identifier is repeated: anything else may be a proxy's page.
    """
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    wish = answer.retry_after_seconds
    word = re.fullmatch(r"\s*([a-z_]{1,64})\s*", answer.text)
    said = f"{status} {word[1]}" if word else str(status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotifyUnavailable(f"{receiver} asks for fewer messages", retry_after_seconds=wish)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return NotifyUnavailable(f"{receiver} answered {said}", retry_after_seconds=wish)
    return NotifyRejected(f"{receiver} refused the message: {said}")


def webhook_url(
    secret: str,
    *,
    receiver: str,
    hosts: AbstractSet[str],
    example: str,
    allow_loopback: bool,
) -> httpx.URL:
    """The secret as a URL that may be called: the receiver's own hosts by https, nothing else.

    With `allow_loopback` a receiver at a loopback address will do, in plain http as well: that is
    how the demo and the tests listen. A secret that names any other host would turn this channel
    into a way to reach inner services. `example` says in an error what it should be.

    Raises:
        ConfigInvalid: anything else; the message does not repeat the secret.
    """
    try:
        url = httpx.URL(secret)
    except (httpx.InvalidURL, TypeError):
        raise ConfigInvalid(f"the secret of the {receiver} channel is not a URL") from None
    if url.scheme == "https" and url.host in hosts and url.port is None and not url.userinfo:
        return url
    if allow_loopback and url.scheme in ("http", "https") and _is_loopback(url.host):
        return url
    raise ConfigInvalid(f"the secret of the {receiver} channel must be {example}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _beginning(response: httpx.Response) -> bytes:
    """No more of an answer than is shown."""
    said = b""
    try:
        for part in cast(httpx.SyncByteStream, response.stream):
            said += part
            if len(said) >= ANSWER_BYTES_AT_MOST:
                break
    finally:
        response.close()
    return said
