"""What a refusal of Step Functions or EventBridge Scheduler means here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from trainbell.errors import ConfigInvalid, StoreFull, StoreUnavailable
from trainbell.extensions.aws_refusal import AwsRefusal

_FULL = frozenset({"ExecutionLimitExceeded", "ServiceQuotaExceededException"})


def code_of(error: ClientError) -> str:
    return AwsRefusal.of(error).code


def is_transient(error: ClientError) -> bool:
    """Throttled, or the service's own fault: time helps."""
    refusal = AwsRefusal.of(error)
    return refusal.is_throttled or refusal.is_down


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
        message = AwsRefusal.of(exc).message
        raise ConfigInvalid(f"{what} was refused: {code}: {message}") from exc
    except (BotoCoreError, HTTPClientError) as exc:
        raise StoreUnavailable(f"{what}: no answer ({type(exc).__name__})") from exc
