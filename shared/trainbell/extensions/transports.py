"""The network connections of one service: kept alive, bounded, each used by one thread at a time.

Each has a transport of its own (`bounded_http`), taken from a stack. httpcore's pool looks at every
idle connection on every request; with 32 of them that costs three times the request itself (466
against 150 µs of CPU for a small GET).

The environment's proxies and netrc are ignored: both would decide, out of sight, who gets to see
a connection's secret. `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured, for on-premises services
with an authority of their own.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

import httpx

from trainbell.extensions.bounded_http import BoundedTransport

MAX_IDLE_CONNECTIONS = 640
"""As many as may be under way at once; those that expire are closed as others come back."""


class Transports:
    """A stack of transports with one connection each; the warmest is used first."""

    def __init__(self, given: httpx.BaseTransport | None) -> None:
        self._given = given
        self._idle: deque[httpx.BaseTransport] = deque()

    @property
    def idle(self) -> int:
        """How many wait to be used again."""
        return len(self._idle)

    @contextmanager
    def lease(self, *, fresh: bool) -> Iterator[httpx.BaseTransport]:
        """A transport for one request. `fresh`: on a new connection, because a kept one may be
        closed by the service at the very moment when a start goes out on it."""
        if self._given is not None:
            yield self._given
            return
        transport = None if fresh else self._pop()
        transport = transport or _new_transport()
        try:
            yield transport
        finally:
            self._keep(transport)

    def close(self) -> None:
        while transport := self._pop():
            transport.close()

    def _keep(self, transport: httpx.BaseTransport) -> None:
        if self.idle >= MAX_IDLE_CONNECTIONS:
            transport.close()
            return
        self._idle.append(transport)
        # The coldest is on the left: a burst's connections do not stay open for ever.
        coldest = self._idle[0]
        if isinstance(coldest, BoundedTransport) and coldest.has_expired():
            with suppress(IndexError, ValueError):
                self._idle.remove(coldest)
                coldest.close()

    def _pop(self) -> httpx.BaseTransport | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None


def _new_transport() -> httpx.BaseTransport:
    return BoundedTransport(_tls)


@cache
def _tls() -> ssl.SSLContext:
    """One for all: building it reads every certificate of the system."""
    return httpx.create_ssl_context(trust_env=True)
