"""Many clients of one server that keep it waiting, on sockets of one process and by no thread."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.e2e.up_process import UpProcess

HEAD = b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@contextmanager
def crowd(port: int, size: int, says: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many clients that say this, or nothing, and then no more."""
    clients: list[socket.socket] = []
    try:
        for _ in range(size):
            client = socket.create_connection(("127.0.0.1", port), timeout=5.0)
            clients.append(client)
            with suppress(OSError):  # It may have had to make room already.
                client.sendall(says)
        yield clients
    finally:
        for client in clients:
            client.close()


def is_closed(client: socket.socket, within_seconds: float) -> bool:
    client.settimeout(within_seconds)
    try:
        while client.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def resident_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


@contextmanager
def owner(url: str, token: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=10.0) as client:
        yield client


def healthy_within(client: httpx.Client) -> float:
    begun = time.monotonic()
    assert client.get("/v1/health").status_code == 200
    return time.monotonic() - begun


@dataclass(frozen=True)
class Crowded:
    """What the owner's calls took at most, and what the server's memory grew by."""

    slowest_seconds: float
    grown_megabytes: float


def measure_crowd(directory: Path, many: int) -> Crowded:
    """Half-open clients, and slow ones: half with a body that drips, half with one that stops."""
    drip = HEAD + b"Content-Length: 1000000\r\n\r\n{"
    body = HEAD + b"Content-Length: 900000\r\n\r\n" + b" " * 200_000
    with UpProcess(directory) as up, owner(up.url, up.token) as client:
        healthy_within(client)
        before = resident_megabytes(up.pid)
        with crowd(up.port, many), crowd(up.port, many // 2, drip), crowd(up.port, many // 2, body):
            took = [healthy_within(client) for _ in range(20)]
            # On a connection of its own each, as the command line calls.
            for _ in range(20):
                with owner(up.url, up.token) as again:
                    took.append(healthy_within(again))
            grown = resident_megabytes(up.pid) - before
        assert client.get("/v1/jobs").status_code == 200
    return Crowded(max(took), grown)
