"""Puts a simulator on a real socket: in a thread of this process, or as this process's whole work.

Only on loopback: a simulator knows no secrets worth keeping and accepts any work.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

HOST = "127.0.0.1"
STOP_SECONDS = 10.0


class _Protocol(H11Protocol):
    """Shows an app the transport, because a dropped connection is nothing that ASGI can say."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


def listening(port: int = 0) -> socket.socket:
    """A socket that takes connections from now on. Raises OSError where the port is in use."""
    # asyncio turns Nagle's delay (40 ms a request) off only where the protocol is named.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
        sock.listen(1024)
    except OSError:
        sock.close()
        raise
    return sock


def url_of(sock: socket.socket) -> str:
    return f"http://{HOST}:{sock.getsockname()[1]}"


def serve(app: Any, sock: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM (in the main thread)."""
    _server(app).run([sock])


@contextmanager
def running(app: Any, port: int = 0) -> Iterator[str]:
    """The app on a free port, in a thread of its own; gives its base URL."""
    sock = listening(port)
    try:
        with serving(app, sock):
            yield url_of(sock)
    finally:
        sock.close()


@contextmanager
def serving(app: Any, sock: socket.socket) -> Iterator[None]:
    """The app behind this socket, in a thread of its own."""
    server = _server(app)
    thread = Thread(target=server.run, args=([sock],), name="simulator", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS)


def _server(app: Any) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=cast(type[asyncio.Protocol], _Protocol),
            ws="none",
            loop="asyncio",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,  # Of the simulated service, by its own clock, where it has one.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
    )
