"""Many clients of one server that keep it waiting, on sockets of one process and by no thread."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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
