"""What an AWS client's error means for a message: again later, or a person must mend it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trainbell.errors import NotifyError, NotifyRejected, NotifyUnavailable
from trainbell.redaction import redacted_text

_PASSING = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InternalError",
        "InternalException",
        "InternalFailure",
        "KMSThrottling",
        "KMSThrottlingException",
        "RequestExpired",
        "RequestTimeout",
        "ServiceUnavailable",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
CLIENT_SETTINGS: dict[str, Any] = {
    "connect_timeout": 3,
    "read_timeout": 10,
    "retries": {"total_max_attempts": 1},
}
"""For `botocore.config.Config`: one attempt; when to try again is the outbox's business."""


def notify_error(exc: ClientError | BotoCoreError, what: str) -> NotifyError:
    """The error to raise for `what` (such as "SNS"). AWS's own words are kept, without secrets."""
    if not isinstance(exc, ClientError):
        return NotifyUnavailable(f"{what} could not be reached ({type(exc).__name__})")
    error = exc.response.get("Error", {})
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return error_of_code(error.get("Code", ""), error.get("Message", ""), what, status)


def error_of_code(code: str, message: str, what: str, http_status: int = 0) -> NotifyError:
    words = redacted_text(f"{what} answered {code}: {message}")[:500]
    if code in _PASSING or http_status == HTTPStatus.TOO_MANY_REQUESTS:
        return NotifyUnavailable(words)
    if http_status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return NotifyUnavailable(words)
    return NotifyRejected(words)
