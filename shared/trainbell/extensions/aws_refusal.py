"""What AWS says when it refuses a call, read once; what it means is each caller's own affair.

AWS's JSON services answer most refusals with 400, so the code tells them apart, and the status
where the code is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

THROTTLED = frozenset(
    {
        "KMSThrottling",
        "KMSThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
"""Credentials that end by themselves: a process that renews them may ask again."""
NOT_THROUGH = frozenset({"RequestTimeout", "RequestTimeoutException"})
DOWN = frozenset(
    {
        "InternalError",
        "InternalException",
        "InternalFailure",
        "InternalServerError",
        "ServiceUnavailable",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsRefusal:
    """`code` and `message` are AWS's own; `status` is 0 where there was none. `headers` are by
    lower-case name; `details` are what else the error's body holds."""

    code: str
    message: str = ""
    status: int = 0
    request_id: str = ""
    headers: Mapping[str, Any]
    details: Mapping[str, Any]

    @classmethod
    def of(cls, exc: ClientError) -> AwsRefusal:
        said: Mapping[str, Any] = exc.response.get("Error") or {}
        answer: Mapping[str, Any] = exc.response.get("ResponseMetadata") or {}
        return cls(
            code=str(said.get("Code") or "an error"),
            message=str(said.get("Message") or ""),
            status=int(answer.get("HTTPStatusCode") or 0),
            request_id=str(answer.get("RequestId") or ""),
            headers=answer.get("HTTPHeaders") or {},
            details={k: v for k, v in exc.response.items() if k != "ResponseMetadata"},
        )

    @property
    def is_throttled(self) -> bool:
        return is_throttled(self.code, self.status)

    @property
    def is_down(self) -> bool:
        return is_down(self.code, self.status)


def is_throttled(code: str, status: int = 0) -> bool:
    return code in THROTTLED or status == HTTPStatus.TOO_MANY_REQUESTS


def is_down(code: str, status: int = 0) -> bool:
    """The service's own fault, which passes."""
    return code in DOWN or status >= HTTPStatus.INTERNAL_SERVER_ERROR
