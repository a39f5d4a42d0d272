"""The one mapping from what AWS says to the errors of `trainbell.errors`.

AWS's JSON services answer most refusals with 400, so the code decides, and the status where the
code is not known. The columns are those of `providers.http_errors`.

| what happened                               | READ, CHANGE         | START               |
|---------------------------------------------|----------------------|---------------------|
| no credentials, or not sent                 | AuthFailed / Unavailable                   |
| sent, no answer                             | ProviderUnavailable  | StartOutcomeUnknown |
| 5xx, InternalFailure, ServiceUnavailable    | ProviderUnavailable  | StartOutcomeUnknown |
| an answer that nobody can read              | ProviderReplyInvalid | StartOutcomeUnknown |
| ThrottlingException and its kin, 429        | ProviderThrottled    | ProviderThrottled   |
| AccessDenied, ExpiredToken …, 401, 403      | ProviderAuthFailed   | ProviderAuthFailed  |
| ResourceNotFound, ValidationException       | ProviderJobMissing   | ProviderRejected    |
|   "Requested resource not found"            |                      |                     |
| anything else                               | ProviderRejected     | ProviderRejected    |

DescribeTrainingJob documents ResourceNotFound for an unknown job, and answers ValidationException
(https://github.com/aws/aws-sdk/issues/165).
"""

from __future__ import annotations

import re
from datetime import datetime
from http import HTTPStatus

from botocore.exceptions import ClientError

from trainbell.errors import (
    ProviderAuthFailed,
    ProviderError,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.extensions.aws_refusal import (
    EXPIRED,
    NOT_THROUGH,
    AwsRefusal,
    is_down,
    is_throttled,
)
from trainbell.extensions.retry_after import retry_after_seconds
from trainbell.providers.redaction import Redactor
from trainbell.providers.sagemaker.network import NetworkTrouble, NoAnswer, NotSent
from trainbell.providers.service_call import Effect
from trainbell.redaction import redacted_text

NAME = "SageMaker"
NAME_IS_TAKEN = "ResourceInUse"
_AUTH = EXPIRED | {
    "AccessDenied",
    "AccessDeniedException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_TOO_MUCH_AT_ONCE = "LimitExceededException"
_MISSING = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
_MISSING_WORDS = re.compile(r"not found|could not find|does not exist", re.IGNORECASE)
_ENDED_WORDS = re.compile(r"rejected because the training job is in status", re.IGNORECASE)
_MESSAGE_KEPT = 1000


def refusal_error(
    exc: ClientError, operation: str, effect: Effect, redactor: Redactor, now: datetime
) -> ProviderError:
    """The error that a refusal means, with AWS's own code, words and request id."""
    said = AwsRefusal.of(exc)
    words = redactor.text(redacted_text(said.message))[:_MESSAGE_KEPT]
    return error_class(said.code, said.status, words, effect)(
        f"{NAME} answered {said.code} to {operation}" + (f": {words}" if words else ""),
        provider=NAME,
        operation=operation,
        http_status=said.status or None,
        vendor_code=said.code[:200],
        request_id=redactor.text(said.request_id)[:200] or None,
        retry_after_seconds=retry_after_seconds(said.headers.get("retry-after"), now),
        details=redactor.details(said.details),
    )


def error_class(code: str, status: int, words: str, effect: Effect) -> type[ProviderError]:
    """The table above, for an answer of AWS."""
    kind: type[ProviderError] = ProviderRejected
    if is_throttled(code, status) or code == _TOO_MUCH_AT_ONCE:
        kind = ProviderThrottled
    elif code in _AUTH or status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        kind = ProviderAuthFailed
    elif code in NOT_THROUGH or status == HTTPStatus.REQUEST_TIMEOUT:
        kind = ProviderUnavailable
    elif is_down(code, status):
        kind = _unless_started(effect, ProviderUnavailable)
    elif status and status < HTTPStatus.BAD_REQUEST:
        kind = _unless_started(effect, ProviderReplyInvalid)
    elif effect is not Effect.START and _is_missing(code, words):
        kind = ProviderJobMissing
    return kind


def network_error(
    exc: NetworkTrouble, operation: str, effect: Effect, redactor: Redactor
) -> ProviderError:
    """The error that a request without a readable answer means."""
    why = redactor.text(str(exc))
    if isinstance(exc, NotSent):
        kind: type[ProviderError] = ProviderUnavailable
        message = f"{NAME} cannot be reached for {operation}: {why}"
    elif isinstance(exc, NoAnswer):
        kind = _unless_started(effect, ProviderUnavailable)
        message = f"{NAME} gave no answer to {operation}, which was sent: {why}"
    else:
        kind = _unless_started(effect, ProviderReplyInvalid)
        message = f"{NAME}'s answer to {operation} cannot be read: {why}"
    return kind(message, provider=NAME, operation=operation)


def unreadable_error(operation: str, effect: Effect, why: str) -> ProviderError:
    kind = _unless_started(effect, ProviderReplyInvalid)
    message = f"{NAME}'s answer to {operation} cannot be read: {why}"
    return kind(message, provider=NAME, operation=operation)


def code_of(exc: ClientError) -> str:
    return AwsRefusal.of(exc).code


def says_it_has_ended(error: ProviderRejected) -> bool:
    """StopTrainingJob's refusal of a job that is not running any more."""
    return error.vendor_code == "ValidationException" and bool(_ENDED_WORDS.search(str(error)))


def _is_missing(code: str, words: str) -> bool:
    return code in _MISSING or (
        code == "ValidationException" and bool(_MISSING_WORDS.search(words))
    )


def _unless_started(effect: Effect, kind: type[ProviderError]) -> type[ProviderError]:
    return StartOutcomeUnknown if effect is Effect.START else kind
