"""A lean stand-in for DeepVA's `GET /api/v1/trainings/{id}/`, and a stop watch for who asks.

    python -m benchmarks.parts.fake_deepva INTERVAL_SECONDS LATENCY_SECONDS

Prints its port and that of a service that takes every call and answers none, and ends with its
standard input. It is written on bare asyncio, so that the
service takes as little as possible of the machine that the watchers are measured on; the
simulators, which check everything, would take more than some watchers do.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from array import array
from typing import Any

PREFIX = b"GET /api/v1/trainings/"
HOURS_A_TRAINING = 4


class Arrivals:
    """When each job was asked for, and how far apart that was during the measurement."""

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self.latest: dict[bytes, float] = {}
        self.began_at: float | None = None
        self.polls = 0
        self.lags = array("d")

    def note(self, job: bytes) -> None:
        now = time.monotonic()
        before = self.latest.get(job)
        self.latest[job] = now
        if self.began_at is not None:
            self.polls += 1
            if before is not None:
                self.lags.append(now - before - self.interval)

    def begin(self) -> dict[str, Any]:
        self.began_at = time.monotonic()
        return {}

    def seen(self) -> dict[str, Any]:
        return {"jobs": len(self.latest)}

    def end(self) -> dict[str, Any]:
        """What was measured. A job that is overdue now counts with the lag that it has by now."""
        now = time.monotonic()
        overdue = (now - at - self.interval for at in self.latest.values())
        lags = sorted([*self.lags, *(lag for lag in overdue if lag > 0)])
        return {
            "seconds": now - (self.began_at or now),
            "polls": self.polls,
            "lag_p50": _quantile(lags, 0.50),
            "lag_p99": _quantile(lags, 0.99),
            "lag_max": _quantile(lags, 1.0),
        }


class Service(asyncio.Protocol):
    """HTTP/1.1 with kept-alive connections, for requests without a body."""

    def __init__(self, arrivals: Arrivals, began_at: float, latency: float) -> None:
        self._arrivals = arrivals
        self._began_at = began_at
        self._latency = latency
        self._pending = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._pending = (self._pending + data).split(b"\r\n\r\n")
        for request in requests:
            answer = self._answer(request)
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._transport.write, answer)
            else:
                self._transport.write(answer)

    def _answer(self, request: bytes) -> bytes:
        if request.startswith(PREFIX):
            job = request[len(PREFIX) : request.index(b"/ ", len(PREFIX))]
            self._arrivals.note(job)
            return _response(training(job.decode(), time.monotonic() - self._began_at))
        actions = {b"/begin": self._arrivals.begin, b"/seen": self._arrivals.seen}
        path = request.split(b" ", 2)[1]
        return _response(actions.get(path, self._arrivals.end)())


def training(identity: str, seconds: float) -> dict[str, Any]:
    """The documented shape (docs.deepva.com/core-resources/training), at work since `seconds`."""
    return {
        "id": identity,
        "type": "face",
        "state": "processing",
        "progress": round(min(0.99, 0.1 + seconds / (HOURS_A_TRAINING * 3600)), 4),
        "duration": round(seconds, 3),
        "error": "",
        "time_created": "2026-03-02 12:00:00.000000",
        "time_started": "2026-03-02 12:00:05.000000",
        "time_completed": None,
        "source_dataset": {
            "id": "8a1f1d5e-9d1c-4a59-8d3b-6a1df2c6b001",
            "name": "Faces",
            "description": "",
            "version": 1.0,
            "type": "face",
            "number_of_classes": 10,
            "number_of_images": 200,
        },
        "output_model_name": "faces",
        "output_model": None,
        "config": {},
        "output_model_description": "",
        "output_model_changelog": "",
    }


def _response(document: dict[str, Any]) -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _quantile(sorted_values: list[float], share: float) -> float:
    if not sorted_values:
        return 0.0
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


async def serve(interval: float, latency: float) -> None:
    loop = asyncio.get_running_loop()
    arrivals, began_at = Arrivals(interval), time.monotonic()
    server = await loop.create_server(
        lambda: Service(arrivals, began_at, latency), "127.0.0.1", 0, backlog=1024
    )
    silent = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, backlog=1024)
    print(*(each.sockets[0].getsockname()[1] for each in (server, silent)), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    silent.close()


if __name__ == "__main__":
    asyncio.run(serve(*map(float, sys.argv[1:])))
