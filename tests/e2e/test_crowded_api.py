"""Clients that are slow, silent or unknown, and services that do not answer: the owner gets in."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.crowd import HEAD, crowd, is_closed, resident_megabytes
from tests.e2e.up_process import UpProcess
from tests.open_secrets import allow
from trainbell.api.asgi_app import AsgiApp, Gate, Message, Receive, Send
from trainbell.api.identity import OwnerIdentity
from trainbell.embedded.http_protocol import BoundedProtocol
from trainbell.embedded.instance import EmbeddedInstance
from trainbell.embedded.server import Listener, LocalServer

pytestmark = pytest.mark.e2e

MEGABYTE = 1024 * 1024
MANY = 1000


@contextmanager
def owner(url: str, token: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=10.0) as client:
        yield client


def healthy_within(client: httpx.Client) -> float:
    begun = time.monotonic()
    assert client.get("/v1/health").status_code == 200
    return time.monotonic() - begun


def test_a_thousand_silent_and_a_thousand_slow_clients(tmp_path: Path) -> None:
    """260 of them locked the owner out for a minute, and 208 MB without a token grew memory by
    90 MB, where neither heads had a deadline nor callers to be known before their bodies."""
    drip = HEAD + b"Content-Length: 1000000\r\n\r\n{"
    body = HEAD + b"Content-Length: 900000\r\n\r\n" + b" " * 200_000
    with UpProcess(tmp_path) as up, owner(up.url, up.token) as client:
        healthy_within(client)
        before = resident_megabytes(up.pid)
        with crowd(up.port, MANY), crowd(up.port, MANY // 2, drip), crowd(up.port, MANY // 2, body):
            took = [healthy_within(client) for _ in range(20)]
            # On a connection of its own each, as the command line calls.
            for _ in range(20):
                with owner(up.url, up.token) as again:
                    took.append(healthy_within(again))
            grown = resident_megabytes(up.pid) - before
        assert client.get("/v1/jobs").status_code == 200
    assert max(took) < 2.0
    assert grown <= 30.0


def test_large_bodies_without_a_token_are_not_read(tmp_path: Path) -> None:
    with UpProcess(tmp_path) as up, owner(up.url, up.token) as client:
        healthy_within(client)
        before = resident_megabytes(up.pid)
        says = HEAD + b"Content-Length: 1000000\r\n\r\n" + b" " * 900_000
        with crowd(up.port, 200, says) as clients:
            answers = {beginning(client) for client in clients}
        grown = resident_megabytes(up.pid) - before
    assert answers <= {b"HTTP/1.1 401 ", b""}
    assert grown <= 30.0


def beginning(client: socket.socket) -> bytes:
    try:
        return client.recv(13)
    except OSError:
        return b""


def test_who_sends_a_small_body_without_a_token_reads_why_not(tmp_path: Path) -> None:
    with EmbeddedInstance(tmp_path / "data", port=0) as instance:
        for size in (10, 60_000):
            answer = httpx.post(instance.url + "/v1/jobs", content=b" " * size, trust_env=False)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="trainbell"'
            assert answer.json()["type"] == "urn:trainbell:caller-unknown"


class Brief(BoundedProtocol):
    head_seconds = 0.2
    connections_at_once = 4


@contextmanager
def serving() -> Iterator[int]:
    """A server with small bounds, which answers everybody after the gate at once."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        del scope
        await receive()
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    gate: AsgiApp = Gate(app, OwnerIdentity("token"))
    listener = Listener(port=0)
    server = LocalServer(gate, listener, protocol=Brief)
    server.start()
    try:
        yield listener.port
    finally:
        server.stop()
        listener.close()


OWNER_HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer token\r\n"


@pytest.mark.parametrize(
    "says",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HT", id="half a line"),
        pytest.param(OWNER_HEAD + b"\r\nGET / HT", id="half of a second request"),
    ],
)
def test_a_half_open_request_is_closed(says: bytes) -> None:
    with serving() as port, crowd(port, 1, says) as [client]:
        assert is_closed(client, within_seconds=9.0)


def test_a_head_that_drips_has_one_deadline() -> None:
    with serving() as port, crowd(port, 1, OWNER_HEAD + b"X-Slow: ") as [client]:
        stopped = threading.Event()

        def drip() -> None:
            while not stopped.wait(0.05):
                try:
                    client.sendall(b"a")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        assert is_closed(client, within_seconds=9.0)
        stopped.set()
        dripping.join()


def test_the_unknown_make_room_before_those_who_are_let_in() -> None:
    asks = b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    let_in = OWNER_HEAD.replace(b"GET", b"POST") + asks
    with serving() as port, crowd(port, 1, let_in) as [owners]:
        assert owners.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        with crowd(port, 8, b"GET / HT"):
            owners.sendall(b"{}")
            assert owners.recv(13) == b"HTTP/1.1 200 "


def test_what_cannot_be_read_is_refused_by_a_problem_document() -> None:
    with serving() as port, crowd(port, 1, b"NO SUCH\x00THING\r\n\r\n") as [client]:
        client.settimeout(5.0)
        answer = b""
        while piece := client.recv(4096):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    assert json.loads(body)["type"] == "urn:trainbell:request-malformed"


@contextmanager
def a_silent_service() -> Iterator[str]:
    """It takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_tries_of_a_silent_service_hold_up_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six of them delayed the answer to /v1/health by 19 s."""
    monkeypatch.setenv("SILENT_KEY", "a-key-that-nobody-hears")
    with (
        ThreadPoolExecutor(24) as tries,
        EmbeddedInstance(tmp_path / "data", port=0) as instance,
        owner(instance.url, instance.token) as client,
        a_silent_service() as silent,
    ):
        settings = {"provider": "deepva", "base_url": silent, "secret": "env:SILENT_KEY"}
        allow(tmp_path / "data", settings)
        assert client.put("/v1/connections/silent", json=settings).status_code == 201

        def try_it() -> httpx.Response:
            with owner(instance.url, instance.token) as own:
                return own.post("/v1/connections/silent/test", timeout=60.0)

        refused = next(as_completed([tries.submit(try_it) for _ in range(20)])).result()
        assert refused.status_code == 503
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.json()["type"] == "urn:trainbell:overloaded"
        assert max(healthy_within(client) for _ in range(20)) < 2.0
