"""The local server: uvicorn in a thread, on a socket that is bound before anything else starts."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import threading
from collections.abc import Collection

import uvicorn

from trainbell.api.asgi_app import AsgiApp
from trainbell.embedded.http_protocol import BoundedProtocol
from trainbell.errors import ConfigInvalid

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765
GRACE_SECONDS = 3
START_SECONDS = 10.0
QUEUE = 512
ACCEPTED_IN_A_TURN = 64
"""asyncio takes so many new connections before it reads from any. Few, so that in a crowd a request
is read before its connection has become the oldest one."""


log = logging.getLogger("trainbell.server")


class PortInUse(ConfigInvalid):
    """Another process listens there."""


class Listener:
    """A bound socket. Connections wait in its queue until a `LocalServer` answers them."""

    def __init__(
        self, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, *, allow_remote: bool = False
    ) -> None:
        """`port` 0 takes a free one. `allow_remote` permits a host that is not loopback.

        Raises:
            PortInUse: another process listens there.
            ConfigInvalid: no such address here, not permitted, or remote without `allow_remote`.
        """
        if not allow_remote and not is_loopback(host):
            raise ConfigInvalid(
                f"{host} can be reached from other machines, and the owner's token would travel "
                "unencrypted; say --allow-remote if that is meant"
            )
        self.socket = _bound(host, port)
        self.port = int(self.socket.getsockname()[1])
        self.host = host

    @property
    def url(self) -> str:
        """How this machine reaches it."""
        shown = {"0.0.0.0": DEFAULT_HOST, "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{shown}]:{self.port}" if ":" in shown else f"http://{shown}:{self.port}"

    @property
    def host_names(self) -> Collection[str]:
        """The names, besides loopback, by which requests may address it."""
        return () if is_loopback(self.host) else (self.host, socket.gethostname())

    def close(self) -> None:
        self.socket.close()


class LocalServer:
    """Serves an app in a thread of its own until `stop`. Signals stay with the main thread."""

    def __init__(
        self,
        app: AsgiApp,
        listener: Listener,
        *,
        protocol: type[BoundedProtocol] = BoundedProtocol,
    ) -> None:
        self._listener = listener
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                http=protocol,
                backlog=ACCEPTED_IN_A_TURN,
                # Anybody can cause its warnings, as many as he likes.
                log_level=logging.ERROR,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trainbell-server", daemon=True)

    def start(self) -> None:
        """Returns when it answers. Raises ConfigInvalid if it does not begin to."""
        self._thread.start()
        waiter = threading.Event()
        for _ in range(int(START_SECONDS / 0.01)):
            if self._server.started:
                self._listener.socket.listen(QUEUE)
                return
            if self.ended.is_set():
                break
            waiter.wait(0.01)
        raise ConfigInvalid("the local server did not start; see the log")

    def stop(self) -> None:
        """Take no more connections, answer those at hand, and end."""
        self._server.should_exit = True
        self._thread.join(GRACE_SECONDS + 2)
        if self._thread.is_alive():
            log.warning("the local server did not end in time and is left behind")

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listener.socket])
        except Exception:
            log.exception("the local server failed")
        finally:
            self.ended.set()


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off (40 ms an answer) only where the protocol is named.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # A port whose last connections are still fading away is free.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(QUEUE)
    except (OSError, OverflowError) as exc:
        bound.close()
        if isinstance(exc, OSError) and exc.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"port {port} of {host} is in use by another process; choose one with --port"
            ) from exc
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise ConfigInvalid(f"cannot listen on port {port} of {host}: {reason}") from exc
    return bound
