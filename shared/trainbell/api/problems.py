"""Errors as RFC 9457 problem documents: one table says which error has which status."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainbell import errors
from trainbell.api import refusals
from trainbell.api.calls import ApiReply, Request

log = logging.getLogger("trainbell.api")

PROBLEM_TYPE = "application/problem+json"
DETAIL_AT_MOST = 2000
VENDOR_DETAILS_AT_MOST = 20_000
STORE_RETRY_SECONDS = 1
PROVIDER_RETRY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class ProblemType:
    status: int
    title: str


KINDS: Mapping[type[errors.TrainbellError], ProblemType] = {
    refusals.RequestMalformed: ProblemType(400, "The request cannot be read"),
    refusals.CallerUnknown: ProblemType(401, "Who calls is not known"),
    refusals.CallerRefused: ProblemType(403, "Not from there"),
    refusals.NoSuchCall: ProblemType(404, "There is no such call"),
    refusals.MethodNotAllowed: ProblemType(405, "This path has other methods"),
    refusals.BodyTooSlow: ProblemType(408, "The body came too slowly"),
    refusals.BodyTooLarge: ProblemType(413, "The body is too large"),
    refusals.MediaTypeUnsupported: ProblemType(415, "The body must be JSON"),
    refusals.Misdirected: ProblemType(421, "This is not that host"),
    refusals.Overloaded: ProblemType(503, "Too much at once"),
    errors.InputInvalid: ProblemType(422, "The input is wrong"),
    errors.ConfigInvalid: ProblemType(409, "The configuration is wrong"),
    errors.NotFound: ProblemType(404, "There is no such thing"),
    errors.Conflict: ProblemType(409, "This contradicts what is stored"),
    errors.IdempotencyConflict: ProblemType(409, "The idempotency key was used with other input"),
    errors.HoldTaken: ProblemType(409, "In use by another job"),
    errors.JobEnded: ProblemType(409, "The job has ended"),
    errors.SettingChanged: ProblemType(412, "The setting has changed since it was read"),
    errors.NotSupported: ProblemType(409, "The service has no such call"),
    errors.ProviderError: ProblemType(502, "The service did not do what was asked"),
    errors.ProviderUnavailable: ProblemType(502, "The service cannot be reached"),
    errors.ProviderThrottled: ProblemType(503, "The service asks for fewer calls"),
    errors.ProviderAuthFailed: ProblemType(502, "The service refuses the secret"),
    errors.ProviderRejected: ProblemType(502, "The service refuses the input"),
    errors.ProviderJobMissing: ProblemType(502, "The service does not know the job"),
    errors.ProviderReplyInvalid: ProblemType(502, "The service's answer cannot be read"),
    errors.StartOutcomeUnknown: ProblemType(502, "The service's answer was lost"),
    errors.JobConflict: ProblemType(409, "Somebody else wrote first; try again"),
    errors.StoreError: ProblemType(500, "The store failed"),
    errors.StoreUnavailable: ProblemType(503, "The store cannot be reached now"),
    errors.StoreFull: ProblemType(507, "The store cannot be written"),
    errors.RecordUnreadable: ProblemType(500, "A stored record cannot be read"),
    errors.StoreTooNew: ProblemType(500, "The data is of a newer Trainbell"),
    errors.NotifyError: ProblemType(502, "The channel did not take the message"),
    errors.NotifyUnavailable: ProblemType(502, "The channel cannot be reached"),
    errors.NotifyRejected: ProblemType(502, "The channel refuses the message"),
}
"""An error that is not in the table has the status of its nearest parent in it."""

EVERY_CALL = (400, 401, 403, 405, 408, 413, 421, 500, 503)
"""Statuses of problems that any call may have; 405 is its path's, under another method."""


def problem_reply(error: Exception, request: Request) -> ApiReply:
    """The problem document of an error. One that nobody foresaw is logged whole, and tells the
    caller nothing but the id under which it is found in the log."""
    kind = _kind_of(error)
    if kind is None or not isinstance(error, errors.TrainbellError):
        log.error("request %s failed", request.id, exc_info=error)
        document = _document("unexpected", ProblemType(500, "Something went wrong here"))
        document["detail"] = "The cause is in the log, under this request's id."
        document["request_id"] = request.id
        return _reply(500, document, {})
    document = _document(_type_of(error), kind)
    document["detail"] = str(error)[:DETAIL_AT_MOST]
    document.update(_extensions(error))
    return _reply(kind.status, document, _headers(error))


def _reply(status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> ApiReply:
    return ApiReply(status, json.dumps(document), headers, PROBLEM_TYPE)


def _kind_of(error: Exception) -> ProblemType | None:
    return next((KINDS[cls] for cls in type(error).__mro__ if cls in KINDS), None)


def _type_of(error: Exception) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()


def _document(name: str, kind: ProblemType) -> dict[str, Any]:
    return {"type": f"urn:trainbell:{name}", "title": kind.title, "status": kind.status}


def _extensions(error: errors.TrainbellError) -> dict[str, Any]:
    if isinstance(error, errors.InputInvalid):
        return {"errors": [{"path": p.path, "message": p.message} for p in error.problems]}
    if isinstance(error, errors.HoldTaken):
        return {"hold": error.key, "holder": error.holder}
    if isinstance(error, errors.ProviderError):
        said = {
            "provider": error.provider or None,
            "service_status": error.http_status,
            "vendor_code": error.vendor_code,
            "vendor_request_id": error.request_id,
            "vendor_details": _within_bounds(error.details),
        }
        return {key: value for key, value in said.items() if value is not None}
    return {}


def _within_bounds(details: Any) -> Any:
    """What the service said beside its message: without secrets since it was read, and not all of
    a very long answer."""
    try:
        size = len(json.dumps(details))
    except (TypeError, ValueError, RecursionError):
        return None
    return details if size <= VENDOR_DETAILS_AT_MOST else None


def _headers(error: errors.TrainbellError) -> Mapping[str, str]:
    if isinstance(error, refusals.CallerUnknown):
        return {"WWW-Authenticate": 'Bearer realm="trainbell"'}
    if isinstance(error, refusals.MethodNotAllowed):
        return {"Allow": ", ".join(error.allowed)}
    if isinstance(error, refusals.Overloaded):
        return {"Retry-After": _seconds(error.retry_after_seconds)}
    if isinstance(error, errors.ProviderThrottled):
        return {"Retry-After": _seconds(error.retry_after_seconds or PROVIDER_RETRY_SECONDS)}
    if isinstance(error, errors.StoreUnavailable):
        return {"Retry-After": _seconds(STORE_RETRY_SECONDS)}
    return {}


def _seconds(seconds: float) -> str:
    return str(max(1, math.ceil(min(seconds, 86_400.0))))
