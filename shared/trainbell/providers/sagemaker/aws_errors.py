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
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

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
from trainbell.providers.http_errors import retry_after_seconds
from trainbell.providers.redaction import Redactor
from trainbell.providers.sagemaker.network import NetworkTrouble, NoAnswer, NotSent
from trainbell.providers.service_call import Effect
from trainbell.redaction import redacted_text

NAME = "SageMaker"
NAME_IS_TAKEN = "ResourceInUse"
_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_AUTH = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_DOWN = frozenset({"InternalFailure", "InternalServerError", "ServiceUnavailable"})
_NOT_THROUGH = frozenset({"RequestTimeout", "RequestTimeoutException"})
_MISSING = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
_MISSING_WORDS = re.compile(r"not found|could not find|does not exist", re.IGNORECASE)
_ENDED_WORDS = re.compile(r"rejected because the training job is in status \w+", re.IGNORECASE)
_MESSAGE_KEPT = 1000


def refusal_error(
    exc: ClientError, operation: str, effect: Effect, redactor: Redactor, now: datetime
) -> ProviderError:
    """The error that a refusal means, with AWS's own code, words and request id."""
    said, answer = _error_of(exc), exc.response.get("ResponseMetadata", {})
    code, status = code_of(exc), int(answer.get("HTTPStatusCode") or 0)
    words = redactor.text(redacted_text(str(said.get("Message") or "")))[:_MESSAGE_KEPT]
    headers: Mapping[str, Any] = answer.get("HTTPHeaders") or {}
    details = {key: value for key, value in exc.response.items() if key != "ResponseMetadata"}
    return error_class(code, status, words, effect)(
        f"{NAME} answered {code} to {operation}" + (f": {words}" if words else ""),
        provider=NAME,
        operation=operation,
        http_status=status or None,
        vendor_code=code[:200],
        request_id=redactor.text(str(answer.get("RequestId") or ""))[:200] or None,
        retry_after_seconds=retry_after_seconds(headers.get("retry-after"), now),
        details=redactor.details(details),
    )


def error_class(code: str, status: int, words: str, effect: Effect) -> type[ProviderError]:
    """The table above, for an answer of AWS."""
    kind: type[ProviderError] = ProviderRejected
    if code in _THROTTLED or status == HTTPStatus.TOO_MANY_REQUESTS:
        kind = ProviderThrottled
    elif code in _AUTH or status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        kind = ProviderAuthFailed
    elif code in _NOT_THROUGH or status == HTTPStatus.REQUEST_TIMEOUT:
        kind = ProviderUnavailable
    elif code in _DOWN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
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
    return str(_error_of(exc).get("Code") or "an error")


def says_it_has_ended(error: ProviderRejected) -> bool:
    """StopTrainingJob's refusal of a job that is not running any more."""
    return error.vendor_code == "ValidationException" and bool(_ENDED_WORDS.search(str(error)))


def _error_of(exc: ClientError) -> Mapping[str, Any]:
    return exc.response.get("Error") or {}


def _is_missing(code: str, words: str) -> bool:
    return code in _MISSING or (
        code == "ValidationException" and bool(_MISSING_WORDS.search(words))
    )


def _unless_started(effect: Effect, kind: type[ProviderError]) -> type[ProviderError]:
    return StartOutcomeUnknown if effect is Effect.START else kind
