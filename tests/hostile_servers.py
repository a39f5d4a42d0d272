"""Servers that break the rules by intent, on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MUCH_LONGER = 6.0
PAUSE = 0.05

Act = Callable[[socket.socket, threading.Event], None]


def _drip(text: bytes) -> Act:
    def act(client: socket.socket, stopped: threading.Event) -> None:
        while not stopped.wait(PAUSE):
            client.sendall(text)

    return act


def headers_a_byte_at_a_time(client: socket.socket, stopped: threading.Event) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(b"a")(client, stopped)


def endless_continues(client: socket.socket, stopped: threading.Event) -> None:
    _drip(b"HTTP/1.1 100 Continue\r\n\r\n")(client, stopped)


def many_headers(client: socket.socket, stopped: threading.Event) -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (n, b"v" * 90) for n in range(10_000))
    client.sendall(b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\n{}")
    stopped.wait(MUCH_LONGER)


def a_body_a_byte_at_a_time(client: socket.socket, stopped: threading.Event) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")
    _drip(b" ")(client, stopped)


def a_gigabyte(client: socket.socket, stopped: threading.Event) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    while not stopped.is_set():
        client.sendall(b" " * 1_000_000)


def a_gzip_bomb(client: socket.socket, stopped: threading.Event) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n")
    client.sendall(b"\x1f\x8b\x08" + b"\0" * 6)
    stopped.wait(MUCH_LONGER)


def half_an_answer(client: socket.socket, _: threading.Event) -> None:
    client.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"id":')
    client.shutdown(socket.SHUT_RDWR)


def a_redirect_to_itself(client: socket.socket, stopped: threading.Event) -> None:
    client.sendall(b"HTTP/1.1 302 Found\r\nLocation: /jobs/1\r\nContent-Length: 0\r\n\r\n")
    stopped.wait(MUCH_LONGER)


def silence(_: socket.socket, stopped: threading.Event) -> None:
    stopped.wait(MUCH_LONGER)


HOSTILE = [
    headers_a_byte_at_a_time,
    endless_continues,
    many_headers,
    a_body_a_byte_at_a_time,
    a_gigabyte,
    a_gzip_bomb,
    half_an_answer,
    a_redirect_to_itself,
    silence,
]


@contextmanager
def serving(act: Act) -> Iterator[str]:
    """A server on loopback that reads each request's head and then acts."""
    stopped = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(client: socket.socket) -> None:
        with client:
            try:
                client.recv(65_536)
                act(client, stopped)
            except OSError:
                pass  # The caller has hung up, which is what is tested.

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        listener.close()
