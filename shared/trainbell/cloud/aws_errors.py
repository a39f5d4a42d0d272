"""What a refusal of Step Functions or EventBridge Scheduler means here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from trainbell.errors import ConfigInvalid, StoreFull, StoreUnavailable

_SERVER_ERROR = 500
_TOO_MANY = 429
_FULL = frozenset({"ExecutionLimitExceeded", "ServiceQuotaExceededException"})
_THROTTLED = frozenset({"ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"})


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def is_transient(error: ClientError) -> bool:
    """Throttled, or the service's own fault: time helps."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code_of(error) in _THROTTLED or status >= _SERVER_ERROR or status == _TOO_MANY


@contextmanager
def mapped_errors(what: str) -> Iterator[None]:
    """Run one call. `what` names it in the message.

    Raises:
        StoreUnavailable: throttled, unreachable or broken for now.
        StoreFull: the account's quota is used up.
        ConfigInvalid: refused: no right to it, no such resource, or a wrong setting.
    """
    try:
        yield
    except ClientError as exc:
        code = code_of(exc)
        if code in _FULL:
            raise StoreFull(f"{what}: the account's quota is used up ({code})") from exc
        if is_transient(exc):
            raise StoreUnavailable(f"{what}: busy or down ({code})") from exc
        message = exc.response.get("Error", {}).get("Message", "")
        raise ConfigInvalid(f"{what} was refused: {code}: {message}") from exc
    except (BotoCoreError, HTTPClientError) as exc:
        raise StoreUnavailable(f"{what}: no answer ({type(exc).__name__})") from exc
