"""The network under botocore's clients: bounded, without proxies or cookies, never repeated.

botocore builds, signs and reads; what goes between is httpx, as for every other provider. The hook
is botocore's own event `before-send`, whose handler may answer in the network's place.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, cast

import httpx
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from pydantic_core import from_json

from trainbell.extensions.aws_network import aws_response, wire_request
from trainbell.extensions.bounded_http import WHOLE_SECONDS
from trainbell.extensions.transports import Transports
from trainbell.ports.call_scope import request_begins
from trainbell.providers.http import MAX_ERROR_BYTES, Timeouts
from trainbell.providers.redaction import Redactor
from trainbell.providers.service_call import MAX_REPLY_BYTES

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_OK = range(200, 300)
STARTS = "CreateTrainingJob"


class NetworkTrouble(Exception):
    """Not an answer of AWS. `str()` says what happened instead."""


class NotSent(NetworkTrouble):
    """The request surely did not reach AWS."""


class NoAnswer(NetworkTrouble):
    """The request was sent, and no answer came."""


class BadAnswer(NetworkTrouble):
    """An answer came that is too large, too slow, broken off or no JSON."""


class Network:
    """Sends requests for botocore. Thread-safe."""

    def __init__(
        self,
        transport: httpx.BaseTransport | None,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - a value
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transports = Transports(transport)
        self._timeouts = timeouts
        self._extensions = {"timeout": timeouts.for_httpx()}
        self._monotonic = monotonic

    def send(self, request: AWSPreparedRequest, event_name: str = "", **_: Any) -> AWSResponse:
        """Raises NotSent, NoAnswer, BadAnswer."""
        whole = request_begins(self._timeouts.whole)
        wire = wire_request(request, {**self._extensions, WHOLE_SECONDS: whole})
        deadline = self._monotonic() + whole
        with self._transports.lease(fresh=event_name.endswith(STARTS)) as transport:
            try:
                response = transport.handle_request(wire)
            except _NOT_SENT as exc:
                raise NotSent(str(exc)[:200] or type(exc).__name__) from exc
            except httpx.TransportError as exc:
                raise NoAnswer(str(exc)[:200] or type(exc).__name__) from exc
            good = response.status_code in _OK
            body, flaw = self._read(response, good, deadline)
        flaw = flaw or _json_flaw(body)
        if good and flaw:
            raise BadAnswer(flaw)
        if flaw:
            # AWS's errors are JSON; what is not comes from somebody between, and is only quoted.
            body = json.dumps({"message": Redactor().excerpt(body)}).encode()
        return aws_response(request, response, body)

    def close(self) -> None:
        self._transports.close()

    def _read(
        self, response: httpx.Response, good: bool, deadline: float
    ) -> tuple[bytes, str | None]:
        """The body, and what is wrong with it."""
        limit = MAX_REPLY_BYTES if good else MAX_ERROR_BYTES
        body = bytearray()
        try:
            if response.headers.get("content-encoding", "identity") != "identity":
                return b"", "it is compressed, which was not asked for"
            for piece in cast(httpx.SyncByteStream, response.stream):
                body += piece
                if len(body) > limit:
                    return bytes(body[:limit]), f"it is larger than {limit} bytes"
                if self._monotonic() > deadline:
                    return bytes(body), f"it took over {self._timeouts.whole:g} seconds"
        except httpx.TransportError as exc:
            return bytes(body), f"it broke off ({type(exc).__name__})"
        finally:
            response.close()
        return bytes(body), None


def _json_flaw(body: bytes) -> str | None:
    """botocore takes what is no JSON for an empty answer, so it is refused before."""
    if not body:
        return None
    try:
        whole = from_json(body)  # With NaN: a loss may well be one.
    except ValueError as exc:
        return f"no readable JSON ({str(exc).splitlines()[0][:200]})"
    return None if isinstance(whole, dict) else "no JSON object"
