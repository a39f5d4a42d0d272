"""Posts one message to an incoming webhook, and understands Slack's answer."""

from __future__ import annotations

import re
from http import HTTPStatus
from ipaddress import ip_address

import httpx

from trainbell.bounded_http import WHOLE_SECONDS, BoundedTransport
from trainbell.channels.slack.message import slack_message
from trainbell.errors import ConfigInvalid, NotifyError, NotifyRejected, NotifyUnavailable
from trainbell.ports import ChannelContext, Notice

HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
EXCHANGE_SECONDS = 20.0
ANSWER_BYTES_AT_MOST = 200


class SlackChannel:
    """The webhook's URL is the secret. It is read anew for each message, so that a new one counts
    at once, and it appears in no error."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        # No proxy of the environment: it would see the webhook's URL, which is the secret.
        self._http = httpx.Client(
            transport=context.transport or BoundedTransport(httpx.create_ssl_context()),
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )

    def send(self, notice: Notice) -> None:
        """Raises NotifyUnavailable, NotifyRejected, or ConfigInvalid (its secret is no webhook)."""
        url = webhook_url(self._read_secret(), allow_loopback=self._context.allow_loopback)
        status, answer, retry_after = self._post(url, slack_message(notice))
        error = _error_of(status, answer, retry_after)
        if error is not None:
            raise error

    def close(self) -> None:
        self._http.close()

    def _read_secret(self) -> str:
        config = self._context.config
        if config.secret is None:
            raise ConfigInvalid(f"channel {config.name} has no secret")
        return self._context.secrets.read(config.secret).strip()

    def _post(self, url: httpx.URL, message: dict[str, object]) -> tuple[int, str, float | None]:
        """Status, the start of the answer, and the wished pause in seconds."""
        try:
            with self._http.stream(
                "POST", url, json=message, extensions={WHOLE_SECONDS: EXCHANGE_SECONDS}
            ) as response:
                answer = b""
                for part in response.iter_bytes():
                    answer += part
                    if len(answer) >= ANSWER_BYTES_AT_MOST:
                        break
        except httpx.TimeoutException:
            # Not chained: httpx keeps the request, and with it the URL.
            raise NotifyUnavailable("Slack did not answer in time") from None
        except httpx.HTTPError as exc:
            raise NotifyUnavailable(f"Slack could not be reached ({type(exc).__name__})") from None
        words = answer[:ANSWER_BYTES_AT_MOST].decode("utf-8", "replace")
        return response.status_code, words, _seconds(response.headers.get("retry-after"))


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


def _error_of(status: int, answer: str, retry_after: float | None) -> NotifyError | None:
    """What an answer means (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).

    Slack says 200 and `ok`; 400 invalid_payload, 403 action_prohibited, 404 channel_not_found or
    no_service, 410 channel_is_archived ask for a person; 429 and 5xx pass by themselves.
    """
    if status == HTTPStatus.OK:
        return None
    word = _word_of(answer)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotifyUnavailable("Slack asks for fewer messages", retry_after_seconds=retry_after)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return NotifyUnavailable(f"Slack answered {status}{word}", retry_after_seconds=retry_after)
    return NotifyRejected(f"Slack refused the message: {status}{word}")


def _word_of(answer: str) -> str:
    # Slack's own words are one identifier; anything else (a proxy's page) is not repeated.
    word = re.fullmatch(r"\s*([a-z_]{1,64})\s*", answer)
    return f" {word[1]}" if word else ""


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isascii() and header.isdigit() else None
