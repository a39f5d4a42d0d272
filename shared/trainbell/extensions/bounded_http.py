"""An HTTP connection whose whole exchange has a deadline: the socket closes when it has passed.

Timeouts of HTTP libraries bound the pause between two pieces. A server that sends a byte of its
headers every few seconds, or `100 Continue` without end, keeps such a call for ever. Here every
connect, handshake, write and read gets the lesser of its own timeout and what is left of the
exchange, so that nothing a server does takes longer than `extensions["whole_seconds"]`.

Where a name leads is judged here, too: the very address that is connected to must be within the
`Reach` of the call, so that no change of the name between a check and a call gets past it. Without
encryption only this machine may be called.

One connection for one thread at a time, without httpcore's pool, which costs more than a small
request itself.
"""

from __future__ import annotations

import ipaddress
import math
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

import httpcore
import httpx

from trainbell.domain.addresses import Address, Reach, as_ipv4
from trainbell.ports.call_scope import current_reach

KEEP_ALIVE_SECONDS = 55.0
"""Below the 60 s after which common load balancers drop an idle connection."""

READ_BYTES = 8 * 1024
"""At a time. The buffer stands while an answer is waited for, and httpcore's own has 64 KiB: 24 MB
at 360 polls under way."""

WHOLE_SECONDS = "whole_seconds"
"""The request's extension that says how long the exchange may take; none has no bound."""

REACH = "reach"
"""The request's extension with its `Reach`; without it, that of the call's scope holds."""

Resolve = Callable[[str, int], Sequence[Address]]


def resolved(host: str, port: int) -> Sequence[Address]:
    """The addresses of a name, as the system has them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(each[4][0]) for each in found]


class BoundedTransport(httpx.BaseTransport):
    """Raises httpx's errors, as its own transport does."""

    def __init__(
        self,
        ssl_context: Callable[[], ssl.SSLContext] | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        backend: httpcore.NetworkBackend | None = None,
        resolve: Resolve = resolved,
    ) -> None:
        self._ssl_context = ssl_context
        self._deadline = _Deadline(monotonic)
        self._backend = _Backend(self._deadline, backend or httpcore.SyncBackend(), resolve)
        self._connection: httpcore.HTTPConnection | None = None
        self._origin: httpcore.Origin | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._deadline.begin(request.extensions.get(WHOLE_SECONDS, math.inf))
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        self._backend.reach = request.extensions.get(REACH)
        self._backend.is_encrypted = url.scheme == b"https"
        try:
            answer = self._connected(url.origin).handle_request(
                httpcore.Request(
                    request.method,
                    url,
                    headers=request.headers.raw,
                    content=cast(Iterable[bytes], request.stream),
                    extensions=request.extensions,
                )
            )
        except Exception as exc:
            raise _as_httpx(exc) from exc
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer), extensions={}
        )

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def has_expired(self) -> bool:
        """Whether its connection is of no more use."""
        return self._connection is not None and self._connection.has_expired()

    def _connected(self, origin: httpcore.Origin) -> httpcore.HTTPConnection:
        kept = self._connection
        # `has_expired` sees, too, that the server has closed an idle connection.
        if kept is not None and (kept.is_closed() or kept.has_expired() or self._origin != origin):
            kept.close()
            kept = None
        if kept is None:
            secure = origin.scheme == b"https"
            kept = self._connection = httpcore.HTTPConnection(
                origin,
                # Made where it is needed: it reads every certificate of the system (13 MB).
                ssl_context=self._ssl_context() if secure and self._ssl_context else None,
                keepalive_expiry=KEEP_ALIVE_SECONDS,
                network_backend=self._backend,
            )
            self._origin = origin
        return kept


class _Deadline:
    """When the exchange that is under way must have ended."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._ends_at = math.inf

    def begin(self, seconds: float) -> None:
        self._ends_at = self._monotonic() + seconds

    def bound(self, timeout: float | None, error: type[Exception]) -> float | None:
        """The lesser of the timeout and what is left. Raises `error` where nothing is."""
        if self._ends_at == math.inf:
            return timeout
        left = self._ends_at - self._monotonic()
        if left <= 0:
            raise error("the whole exchange took too long")
        return left if timeout is None else min(timeout, left)


class _Backend(httpcore.NetworkBackend):
    """Connects to the first address that answers, of those that may be called."""

    reach: Reach | None = None
    is_encrypted = True

    def __init__(
        self, deadline: _Deadline, inner: httpcore.NetworkBackend, resolve: Resolve
    ) -> None:
        self._deadline = deadline
        self._inner = inner
        self._resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._allowed(host, port):
            left = self._deadline.bound(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(
                    str(address), port, left, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
            else:
                return _Stream(self._deadline, stream)
        raise failure

    def _allowed(self, host: str, port: int) -> Sequence[Address]:
        """Raises httpcore.ConnectError where none is."""
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError) as exc:
            raise httpcore.ConnectError(str(exc)) from exc
        reach = self.reach or current_reach()
        refusals = {address: reach.refusal(address) for address in dict.fromkeys(found)}
        for address, refusal in refusals.items():
            if refusal is None and not self.is_encrypted and not as_ipv4(address).is_loopback:
                refusals[address] = "its secret would travel unencrypted: the URL must be https://"
        allowed = [address for address, refusal in refusals.items() if refusal is None]
        if refusals and not allowed:
            why = next(iter(refusals.values()))
            raise httpcore.ConnectError(f"{host} may not be called: {why}")
        return allowed


class _Stream(httpcore.NetworkStream):
    def __init__(self, deadline: _Deadline, inner: httpcore.NetworkStream) -> None:
        self._deadline = deadline
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        at_most = min(max_bytes, READ_BYTES)
        return self._inner.read(at_most, self._deadline.bound(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.bound(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        timeout = self._deadline.bound(timeout, httpcore.ConnectTimeout)
        return _Stream(self._deadline, self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Body(httpx.SyncByteStream):
    """An answer's body as it comes in. Left before its end, its connection is closed."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from cast(Iterable[bytes], self._answer.stream)
        except Exception as exc:
            raise _as_httpx(exc) from exc

    def close(self) -> None:
        self._answer.close()


def _as_httpx(exc: Exception) -> Exception:
    """httpx names its transport errors as httpcore does; anything else stays what it is."""
    kind = getattr(httpx, type(exc).__name__, None)
    if isinstance(kind, type) and issubclass(kind, httpx.TransportError):
        return kind(str(exc))
    return exc
