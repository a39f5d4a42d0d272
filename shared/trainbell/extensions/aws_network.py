"""The network under clients of AWS: each exchange bounded as a whole, as at every other service.

botocore's own session bounds the pause between two pieces only. It builds, signs, repeats and reads
as before; what goes between is ours. Its errors are botocore's, so that its retries know them.

httpx is loaded with the first exchange: a client may be made by a process that sends nothing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from botocore import exceptions as botocore
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from trainbell.domain.addresses import EMBEDDED

if TYPE_CHECKING:
    import httpx

    from trainbell.extensions.transports import Transports

ANSWER_BYTES_AT_MOST = 32 * 1024 * 1024
"""Above the largest of AWS's answers that is asked for: 16 MB, of a batch of DynamoDB's items."""


def bound(client: Any, *, connect: float, read: float, whole: float) -> None:
    """Make every exchange of this botocore client end within `whole` seconds."""
    endpoint = client._endpoint
    endpoint.http_session.close()
    endpoint.http_session = BoundedSession(connect=connect, read=read, whole=whole)


class BoundedSession:
    """What botocore calls its HTTP session. Thread-safe."""

    def __init__(self, *, connect: float, read: float, whole: float) -> None:
        """All in seconds; `read` is between two pieces."""
        self._timeout = {"connect": connect, "read": read, "write": read, "pool": 1.0}
        self._whole = whole

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Raises botocore's HTTPClientError, or its ConnectionError."""
        import httpx

        wire = wire_request(request, self._extensions)
        with self._transports.lease(fresh=False) as transport:
            try:
                response = transport.handle_request(wire)
                body = _read(response)
            except httpx.TransportError as exc:
                raise _as_botocore(exc, request.url) from exc
        return aws_response(request, response, body)

    def close(self) -> None:
        if "_transports" in self.__dict__:
            self._transports.close()

    @cached_property
    def _transports(self) -> Transports:
        from trainbell.extensions.transports import Transports

        return Transports(None)

    @cached_property
    def _extensions(self) -> Mapping[str, Any]:
        from trainbell.extensions.bounded_http import REACH, WHOLE_SECONDS

        # These are AWS's own endpoints, not URLs that somebody gave: private ones, too.
        return {"timeout": self._timeout, WHOLE_SECONDS: self._whole, REACH: EMBEDDED}


def wire_request(request: AWSPreparedRequest, extensions: Mapping[str, Any]) -> httpx.Request:
    """botocore's signed request as it is sent."""
    import httpx

    return httpx.Request(
        request.method,
        request.url,
        headers=[(name, _text(value)) for name, value in request.headers.items()],
        content=cast(bytes | str, request.body or b""),
        extensions=dict(extensions),
    )


def aws_response(request: AWSPreparedRequest, response: httpx.Response, body: bytes) -> AWSResponse:
    """An answer as botocore wants it."""
    headers = HTTPHeaders.from_pairs(response.headers.multi_items())
    return AWSResponse(request.url, response.status_code, headers, _Whole(body))


class _Whole(io.BytesIO):
    """A body that is read already, with the method of urllib3's that botocore calls."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    try:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise botocore.HTTPClientError(error="a compressed answer, which was not asked for")
        for piece in cast("httpx.SyncByteStream", response.stream):
            body += piece
            if len(body) > ANSWER_BYTES_AT_MOST:
                raise botocore.HTTPClientError(error=f"over {ANSWER_BYTES_AT_MOST} bytes")
    finally:
        response.close()
    return bytes(body)


def _as_botocore(exc: httpx.TransportError, url: str) -> botocore.BotoCoreError:
    import httpx

    if isinstance(exc, httpx.ConnectTimeout):
        return botocore.ConnectTimeoutError(endpoint_url=url, error=exc)
    if isinstance(exc, httpx.ConnectError):
        return botocore.EndpointConnectionError(endpoint_url=url, error=exc)
    if isinstance(exc, httpx.TimeoutException):
        return botocore.ReadTimeoutError(endpoint_url=url, error=exc)
    return botocore.ConnectionClosedError(endpoint_url=url, error=exc, request=None, response=None)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
