"""Verifies AWS Signature Version 4 by AWS's description of it, without botocore.

Independent on purpose: a mistake that a client's signer makes is not made here as well.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote, unquote

from trainbell.simulators.service import Request

TOLERANCE = timedelta(minutes=5)
_TRACE = "x-amzn-trace-id"
"""Proxies put it in, and AWS's own clients after signing: in Lambda, every request has one."""
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)"
    r"/(?P<service>[^/]+)/aws4_request,\s*SignedHeaders=(?P<names>[a-z0-9;-]+),"
    r"\s*Signature=(?P<signature>[0-9a-f]{64})"
)


class BadSignature(Exception):
    """The answer that a request gets which is not signed by a known key."""

    def __init__(self, code: str, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a signature is good for: a service in a region."""

    region: str
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """`token` and `expires_at` are those of temporary credentials."""

    secret: str
    token: str | None = None
    expires_at: datetime | None = None


def verify(request: Request, keys: Mapping[str, AccessKey], scope: Scope, now: datetime) -> None:
    """Raises BadSignature unless the request is signed by one of these keys, now."""
    given = request.headers.get("authorization")
    if given is None:
        raise BadSignature("MissingAuthenticationTokenException", "Missing Authentication Token")
    parts = _AUTHORIZATION.fullmatch(given)
    if parts is None:
        message = "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature'."
        raise BadSignature("IncompleteSignatureException", message, status=400)
    key = keys.get(parts["key"])
    if key is None or request.headers.get("x-amz-security-token") != key.token:
        message = "The security token included in the request is invalid."
        raise BadSignature("UnrecognizedClientException", message)
    if (parts["region"], parts["service"]) != (scope.region, scope.service):
        raise _invalid(
            f"Credential should be scoped to region '{scope.region}' and service '{scope.service}'."
        )
    stamp = _fresh_stamp(request, parts["day"], now)
    names = parts["names"].split(";")
    for header in request.headers:
        must_be_covered = header in ("host", "content-type") or header.startswith("x-amz")
        if must_be_covered and header not in (*names, _TRACE):
            raise _invalid(f"'{header}' must be a 'SignedHeader' in the AWS Authorization.")
    wanted = _signature(request, names, key.secret, stamp, scope)
    if not hmac.compare_digest(wanted, parts["signature"]):
        raise _invalid(
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method."
        )
    if key.expires_at is not None and now >= key.expires_at:
        message = "The security token included in the request is expired"
        raise BadSignature("ExpiredTokenException", message)


def _fresh_stamp(request: Request, day: str, now: datetime) -> str:
    stamp = request.headers.get("x-amz-date", "")
    try:
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as exc:
        raise _invalid("X-Amz-Date is missing or no time.") from exc
    if not stamp.startswith(day):
        raise _invalid("Date in Credential scope does not match the date of X-Amz-Date.")
    if at < now - TOLERANCE:
        raise _invalid(f"Signature expired: {stamp} is now earlier than {_stamp(now - TOLERANCE)}")
    if at > now + TOLERANCE:
        raise _invalid(f"Signature not yet current: {stamp} is later than {_stamp(now)}")
    return stamp


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _signature(request: Request, names: list[str], secret: str, stamp: str, scope: Scope) -> str:
    canonical = "\n".join(
        [
            request.method,
            quote(request.raw_path, safe="/-_.~"),
            _canonical_query(request.raw_query),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names),
            "",
            ";".join(names),
            sha256(request.body).hexdigest(),
        ]
    )
    day = stamp[:8]
    digest = sha256(canonical.encode()).hexdigest()
    named = f"{day}/{scope.region}/{scope.service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{named}\n{digest}"
    return hmac.new(_signing_key(secret, day, scope), text.encode(), sha256).hexdigest()


def _canonical_query(raw: str) -> str:
    if not raw:
        return ""
    pairs = (piece.partition("=")[::2] for piece in raw.split("&"))
    encoded = ((quote(unquote(k), safe="-_.~"), quote(unquote(v), safe="-_.~")) for k, v in pairs)
    return "&".join(f"{k}={v}" for k, v in sorted(encoded))


@lru_cache(maxsize=256)
def _signing_key(secret: str, day: str, scope: Scope) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key


def _invalid(message: str) -> BadSignature:
    return BadSignature("InvalidSignatureException", message)
