"""What an AWS client's error means for a message: again later, or a person must mend it."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from trainbell.errors import NotifyError, NotifyRejected, NotifyUnavailable
from trainbell.extensions.aws_refusal import (
    EXPIRED,
    NOT_THROUGH,
    AwsRefusal,
    is_down,
    is_throttled,
)
from trainbell.redaction import redacted_text

_PASSING = EXPIRED | NOT_THROUGH


def notify_error(exc: ClientError | BotoCoreError, what: str) -> NotifyError:
    """The error to raise for `what` (such as "SNS"). AWS's own words are kept, without secrets."""
    if not isinstance(exc, ClientError):
        return NotifyUnavailable(f"{what} could not be reached ({type(exc).__name__})")
    refusal = AwsRefusal.of(exc)
    return error_of_code(refusal.code, refusal.message, what, refusal.status)


def error_of_code(code: str, message: str, what: str, http_status: int = 0) -> NotifyError:
    words = redacted_text(f"{what} answered {code}: {message}")[:500]
    if is_throttled(code, http_status) or is_down(code, http_status) or code in _PASSING:
        return NotifyUnavailable(words)
    return NotifyRejected(words)
