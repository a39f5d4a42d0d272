"""The one mapping from what HTTP says to the errors of `trainbell.errors`.

| what happened                              | READ, CHANGE         | START               |
|--------------------------------------------|----------------------|---------------------|
| not sent (refused, no such host, TLS)      | ProviderUnavailable  | ProviderUnavailable |
| sent, no answer (timeout, dropped)         | ProviderUnavailable  | StartOutcomeUnknown |
| 5xx                                        | ProviderUnavailable  | StartOutcomeUnknown |
| 2xx that nobody can read, a redirect       | ProviderReplyInvalid | StartOutcomeUnknown |
| 401, 403                                   | ProviderAuthFailed   | ProviderAuthFailed  |
| 408, 425 (the request did not get through) | ProviderUnavailable  | ProviderUnavailable |
| 429                                        | ProviderThrottled    | ProviderThrottled   |
| 404, 410 where the call asks for a job     | ProviderJobMissing   | ProviderRejected    |
| any other 4xx                              | ProviderRejected     | ProviderRejected    |

The last two are the service's word only where it says them. A proxy's page (HTML), or a 404, 405 or
410 without the JSON that the documented services answer with, says nothing of the job or the
request: ProviderUnavailable, for a start too, which surely went nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from pydantic_core import from_json

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
from trainbell.extensions.retry_after import retry_after_seconds
from trainbell.providers.redaction import Redactor
from trainbell.providers.service_call import Call, Effect

REQUEST_ID_HEADERS = (
    "x-request-id",
    "x-amzn-requestid",
    "apim-request-id",
    "x-ms-request-id",
    "x-datarobot-request-id",
    "x-correlation-id",
)
CODE_HEADERS = ("x-amzn-errortype", "x-ms-error-code")
_BY_STATUS = {
    401: ProviderAuthFailed,
    403: ProviderAuthFailed,
    408: ProviderUnavailable,
    425: ProviderUnavailable,
    429: ProviderThrottled,
}
_ROUTING = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE)
_TEXT_KEYS = ("message", "detail", "error_description", "title", "error", "msg", "Message")
_CODE_KEYS = ("code", "error_code", "errorCode", "errorName", "__type")


def error_class(status: int, call: Call, *, own_words: bool = True) -> type[ProviderError]:
    """The table above, for an answer that is not 2xx. `own_words`: it is in the service's form."""
    started = call.effect is Effect.START
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return StartOutcomeUnknown if started else ProviderUnavailable
    if status < HTTPStatus.BAD_REQUEST:
        return StartOutcomeUnknown if started else ProviderReplyInvalid
    named = _BY_STATUS.get(status)
    if named is not None:
        return named
    if not own_words:
        return ProviderUnavailable
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE) and call.missing_is_job and not started:
        return ProviderJobMissing
    return ProviderRejected


def status_error(
    provider: str,
    call: Call,
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    redactor: Redactor,
    now: datetime,
) -> ProviderError:
    """The error that an answer other than 2xx means, with the service's own words kept."""
    details = _details(body, redactor)
    said = _said(details)
    code = _first(details, _CODE_KEYS) or _code_header(headers, redactor)
    message = f"{provider} answered {_named(status)} to {call.operation}"
    if 300 <= status < HTTPStatus.BAD_REQUEST:  # noqa: PLR2004
        said = "redirects are not followed; is the base URL right?"
    shown = said or redactor.excerpt(body)
    own_words = _own_words(status, headers, details)
    return error_class(status, call, own_words=own_words)(
        f"{message}: {shown[:400]}" if shown else message,
        provider=provider,
        operation=call.operation,
        http_status=status,
        vendor_code=code[:200] if code else None,
        request_id=redactor.text(request_id(headers) or "")[:200] or None,
        retry_after_seconds=retry_after_seconds(headers.get("retry-after"), now),
        details=details,
    )


def _own_words(status: int, headers: Mapping[str, str], details: Any) -> bool:
    """Whether the service itself answered, as far as one can tell, and not what stands before."""
    if isinstance(details, dict | list):
        return True
    is_page = "html" in headers.get("content-type", "").lower() or (
        isinstance(details, str) and details.lstrip().startswith("<")
    )
    return not is_page and status not in _ROUTING


def request_id(headers: Mapping[str, str]) -> str | None:
    return next((headers[name] for name in REQUEST_ID_HEADERS if name in headers), None)


def _code_header(headers: Mapping[str, str], redactor: Redactor) -> str | None:
    """AWS and Azure name their errors in a header too; AWS at times with a URL behind a colon."""
    code = next((headers[name] for name in CODE_HEADERS if name in headers), "")
    return redactor.text(code).partition(":")[0] or None


def _details(body: bytes, redactor: Redactor) -> Any:
    if not body:
        return None
    try:
        return redactor.details(from_json(body, allow_inf_nan=False))
    except ValueError:
        return redactor.excerpt(body, 500)


def _said(details: Any) -> str | None:
    """The sentence in an error body; services differ in where they put it."""
    if isinstance(details, list) and details:
        return _said(details[0])
    if isinstance(details, str):
        return details
    text = _first(details, _TEXT_KEYS)
    if text:
        return text
    nested = details.get("error") if isinstance(details, dict) else None
    return _said(nested) if isinstance(nested, dict) else None


def _first(details: Any, keys: tuple[str, ...]) -> str | None:
    if not isinstance(details, dict):
        return None
    for source in (details, details.get("error")):
        for key in keys:
            value = source.get(key) if isinstance(source, dict) else None
            if isinstance(value, str | int) and value != "":
                return str(value)
    return None


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
