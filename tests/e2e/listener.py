"""A server that records whatever arrives, byte for byte, and answers as it is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

READ_SECONDS = 0.3


@dataclass
class Listener:
    """`heard` is everything that came in, from all connections."""

    port: int
    answer: bytes
    connections: int = 0
    heard: bytearray = field(default_factory=bytearray)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def redirect_to(url: str, status: int) -> bytes:
    head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {url}\r\nContent-Length: 2\r\n\r\n{{}}"
    return head.encode()


NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def listening_to_everything(
    answer: bytes = NOT_FOUND, host: str = "127.0.0.1"
) -> Iterator[Listener]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.bind((host, 0))
        server.listen(64)
        listener = Listener(server.getsockname()[1], answer)
        thread = threading.Thread(target=_take, args=(server, listener), daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()
            thread.join(5)


def _take(server: socket.socket, listener: Listener) -> None:
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            listener.connections += 1
            threading.Thread(target=_hear, args=(client, listener), daemon=True).start()


def _hear(client: socket.socket, listener: Listener) -> None:
    client.settimeout(READ_SECONDS)
    with client, suppress(OSError):
        while piece := client.recv(65536):
            listener.heard += piece
            if b"\r\n\r\n" in piece:
                client.sendall(listener.answer)
