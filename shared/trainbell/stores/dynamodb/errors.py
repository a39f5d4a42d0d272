"""What DynamoDB's refusals mean here. Every error of botocore is mapped in this one place.

Codes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore import exceptions as botocore

from trainbell.errors import ConfigInvalid, StoreError, StoreFull, StoreUnavailable

_SERVER_ERROR = 500

_TRANSIENT = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_SETTINGS = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "OptInRequired",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
    }
)
_NO_CREDENTIALS = (
    botocore.NoCredentialsError,
    botocore.PartialCredentialsError,
    botocore.NoRegionError,
    botocore.ProfileNotFound,
)

CONDITION_FAILED = "ConditionalCheckFailed"
CONFLICT = "TransactionConflict"
_TOO_LARGE = "ItemCollectionSizeLimitExceeded"
_THROTTLED_PARTS = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})


class ConditionFailed(Exception):
    """A conditional write found something else. `item` is what it found; empty where nothing."""

    def __init__(self, item: Mapping[str, Any]) -> None:
        self.item = item
        super().__init__("the condition did not hold")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one part of a transaction was refused. `item` is what it found instead."""

    code: str
    message: str = ""
    item: Mapping[str, Any] = field(default_factory=dict)


class TransactionRefused(Exception):
    """A transaction wrote nothing. `refusals` has the position of each part that was refused."""

    def __init__(self, refusals: Mapping[int, Refusal]) -> None:
        self.refusals = refusals
        super().__init__("; ".join(f"part {n}: {r.code}" for n, r in refusals.items()))


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Run one call of the client.

    Raises:
        ConditionFailed, TransactionRefused: for the store to decide what it means.
        StoreUnavailable: throttled, unreachable or broken for now. A write whose answer was lost
            may have been done all the same: reading tells.
        StoreFull: an item or a collection is larger than DynamoDB takes.
        ConfigInvalid: no such table, no credentials, or no right to use it.
        StoreError: anything else; a fault of Trainbell.
    """
    try:
        yield
    except botocore.ClientError as exc:
        raise _meaning(exc) from exc
    except _NO_CREDENTIALS as exc:
        raise ConfigInvalid(f"DynamoDB cannot be reached: {exc}") from exc
    except botocore.ParamValidationError as exc:
        raise StoreError(f"DynamoDB was asked wrongly: {exc}") from exc
    except (botocore.BotoCoreError, botocore.HTTPClientError) as exc:
        raise StoreUnavailable(f"DynamoDB does not answer: {type(exc).__name__}") from exc


def _meaning(exc: botocore.ClientError) -> Exception:
    response: Mapping[str, Any] = exc.response
    code = response.get("Error", {}).get("Code", "")
    message = response.get("Error", {}).get("Message", "")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(response.get("Item") or {})
    if code == "TransactionCanceledException":
        return _cancelled(response.get("CancellationReasons") or (), message)
    if code in _TRANSIENT or status >= _SERVER_ERROR:
        return StoreUnavailable(f"DynamoDB is busy or down: {code}")
    if code in _SETTINGS:
        return ConfigInvalid(f"DynamoDB refuses access to the table: {code}: {message}")
    if code == f"{_TOO_LARGE}Exception" or "size has exceeded" in message:
        return StoreFull(f"DynamoDB takes no item of this size: {message}")
    return StoreError(f"DynamoDB refused: {code}: {message}")


def _cancelled(reasons: Sequence[Mapping[str, Any]], message: str) -> Exception:
    refusals = {
        position: Refusal(reason["Code"], reason.get("Message") or "", reason.get("Item") or {})
        for position, reason in enumerate(reasons)
        if reason.get("Code", "None") != "None"
    }
    codes = {refusal.code for refusal in refusals.values()}
    if codes & {CONDITION_FAILED, CONFLICT}:
        return TransactionRefused(refusals)
    if codes and codes <= _THROTTLED_PARTS:
        return StoreUnavailable(f"DynamoDB is busy: {', '.join(sorted(codes))}")
    told = "; ".join(sorted(f"{r.code}: {r.message}" for r in refusals.values())) or message
    if _TOO_LARGE in codes or "size has exceeded" in told:
        return StoreFull(f"DynamoDB takes no item of this size: {told}")
    return StoreError(f"DynamoDB refused a transaction: {told}")
