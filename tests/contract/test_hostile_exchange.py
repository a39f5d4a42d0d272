"""Nothing that a server does keeps a call longer than its exchange may take.

Real sockets, and servers that break the rules by intent. Every case took as long as the server
wished where only the body was bounded.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.builders import FakeClock
from tests.open_secrets import OpenSecrets
from trainbell.errors import ProviderError, ProviderUnavailable, StartOutcomeUnknown
from trainbell.providers.credentials import HeaderSecret
from trainbell.providers.http import ServiceHttp, Timeouts
from trainbell.providers.service_call import Call, Effect

WHOLE = 0.6
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


class Secrets(OpenSecrets):
    def read(self, reference: str) -> str:
        return f"secret behind {reference}"


def a_service(base_url: str) -> ServiceHttp:
    return ServiceHttp(
        provider="Acme",
        base_url=base_url,
        credential=HeaderSecret(Secrets(), "env:KEY", scheme="Key"),
        clock=FakeClock(),
        timeouts=Timeouts(connect=WHOLE, read=MUCH_LONGER, whole=WHOLE),
    )


@pytest.mark.parametrize("act", HOSTILE, ids=lambda act: act.__name__)
@pytest.mark.parametrize("effect", [Effect.READ, Effect.START])
def test_an_exchange_ends_in_time_whatever_the_server_does(act: Act, effect: Effect) -> None:
    with serving(act) as base_url:
        service = a_service(base_url)
        begun = time.monotonic()
        with pytest.raises(ProviderError) as raised:
            service.send(Call(operation="get a job", path="/jobs/1", effect=effect))
        took = time.monotonic() - begun
        service.close()
    assert took < MUCH_LONGER / 2
    if effect is Effect.START:
        # It was sent, so that nothing but a look-up can tell what became of it.
        assert type(raised.value) is StartOutcomeUnknown


def test_a_connection_that_was_given_up_is_not_used_again() -> None:
    """A late answer to the first request must not be read as the answer to the second."""
    answers = [headers_a_byte_at_a_time, half_an_answer]
    seen: list[int] = []

    def act(client: socket.socket, stopped: threading.Event) -> None:
        seen.append(client.getpeername()[1])
        answers[min(len(seen), 2) - 1](client, stopped)

    with serving(act) as base_url:
        service = a_service(base_url)
        for _ in range(2):
            with pytest.raises(ProviderError):
                service.send(Call(operation="get a job", path="/jobs/1"))
        service.close()
    assert len(set(seen)) == 2


def test_nobody_listening_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ProviderUnavailable):
        a_service(f"http://127.0.0.1:{port}").send(
            Call(operation="start", path="/jobs", effect=Effect.START, method="POST")
        )
