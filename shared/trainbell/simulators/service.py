"""The core of every simulator: a raw ASGI app that reads a request, applies a fault, answers.

A control surface under `/_simulator/` serves tests in other processes; only this machine may use
it. `POST faults` (a list of faults, added), `DELETE faults`, `POST clock` (`advance`, `speed`,
`skew_seconds`), `POST settings` (the service's own), `GET counters`.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.faults import BEFORE, Fault, FaultKind, FaultScript
from trainbell.simulators.settings import ClockSettings, Settings, read

MAX_REQUEST_BYTES = 10_000_000
CONTROL = "/_simulator/"
LOOPBACK = frozenset({"127.0.0.1", "::1"})

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` and `query` by name; header names in lower case. The `raw_` ones are as they came
    over the wire, for whoever verifies a signature or reads a name that comes twice."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    raw_path: str = ""
    raw_query: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> Answer:
        return cls(status, json.dumps(value).encode(), headers=headers)


class SimulatedService:
    """Subclasses implement `handle` and say their `base_path`; and `counters` and
    `apply_settings` where there is more to say.

    `requests` counts by method. `starts` counts accepted starts by the marker that the caller left.
    """

    base_path = ""

    def __init__(self, clock: SimulatorClock | None = None) -> None:
        self.clock = clock or SimulatorClock()
        self.faults = FaultScript()
        self.starts: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()

    def handle(self, request: Request) -> Answer:
        raise NotImplementedError

    def counters(self) -> dict[str, Any]:
        return {"starts": dict(self.starts), "requests": dict(self.requests)}

    def apply_settings(self, settings: Mapping[str, Any]) -> None:
        """Raises ValueError for what it does not know, or cannot use."""
        read(Settings, settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError("a simulator speaks HTTP only")
        request = await _read(scope, receive)
        if request is None:
            await _send(send, Answer(413))
        elif request.path.startswith(CONTROL):
            await _send(send, self._control(scope, request))
        else:
            hang_up = _HangUp(scope["state"]["transport"], receive)
            await self._serve(request, send, hang_up)

    async def _serve(self, request: Request, send: Send, hang_up: _HangUp) -> None:
        self.requests[request.method] += 1
        fault = self.faults.take(request.method, request.path)
        if fault is None:
            await _send(send, self.handle(request))
            return
        if fault.kind is FaultKind.LATENCY:
            await asyncio.sleep(fault.seconds)
        elif fault.kind in BEFORE:
            await _send_fault(send, hang_up, fault, _before(fault, request))
            return
        await _send_fault(send, hang_up, fault, self.handle(request))

    def _control(self, scope: Scope, request: Request) -> Answer:
        client = scope.get("client")
        if client is None or client[0] not in LOOPBACK:
            return Answer(403)
        try:
            return self._controlled(request)
        except (ValueError, TypeError) as exc:
            return Answer.json({"detail": str(exc)}, 400)

    def _controlled(self, request: Request) -> Answer:
        match request.method, request.path.removeprefix(CONTROL):
            case "GET", "counters":
                return Answer.json(self.counters())
            case "POST", "faults":
                self.faults.add(*read(tuple[Fault, ...], _document(request)))
            case "DELETE", "faults":
                self.faults.replace()
            case "POST", "clock":
                self._set_clock(read(ClockSettings, _document(request)))
            case "POST", "settings":
                self.apply_settings(_document(request))
            case _:
                return Answer(404)
        return Answer(204)

    def _set_clock(self, wish: ClockSettings) -> None:
        if wish.speed is not None:
            self.clock.speed = wish.speed
        if wish.skew_seconds is not None:
            self.clock.skew_seconds = wish.skew_seconds
        self.clock.advance(wish.advance)


def _document(request: Request) -> Any:
    try:
        return json.loads(request.body)
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None


async def _read(scope: Scope, receive: Receive) -> Request | None:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_REQUEST_BYTES:
            return None
    query = scope["query_string"]
    return Request(
        scope["method"],
        scope["path"],
        dict(parse_qsl(query.decode("latin-1"))) if query else {},
        {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]},
        body,
        scope["raw_path"].decode("latin-1"),
        query.decode("latin-1"),
    )


def _before(fault: Fault, request: Request) -> Answer:
    if fault.kind is FaultKind.ECHO:
        return Answer.json(
            {"detail": "debug", "request": dict(request.headers)}, fault.status or 500
        )
    status = 429 if fault.kind is FaultKind.THROTTLED else (fault.status or 500)
    return Answer.json({"detail": "simulated fault"}, status)


@dataclass(frozen=True, slots=True)
class _HangUp:
    """Closes the connection, which is nothing that ASGI can say (see `server`)."""

    transport: asyncio.Transport
    receive: Receive

    async def __call__(self) -> None:
        self.transport.close()
        while (await self.receive())["type"] != "http.disconnect":
            pass


async def _send_fault(send: Send, hang_up: _HangUp, fault: Fault, answer: Answer) -> None:
    if fault.kind in (FaultKind.DROPPED_BEFORE, FaultKind.DROPPED_AFTER):
        await hang_up()
        return
    broken = _broken(fault, answer)
    extra = {"retry-after": fault.retry_after} if fault.retry_after else {}
    broken = replace(broken, headers={**broken.headers, **extra})
    if fault.kind is FaultKind.HALF_BODY:
        await _send(send, broken, first=len(broken.body) // 2)
        await hang_up()
    else:
        await _send(send, broken)


_PAGE = b"<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>"


def _broken(fault: Fault, answer: Answer) -> Answer:
    if fault.kind is FaultKind.LOST_ANSWER:
        return Answer(fault.status or 502, _PAGE, "text/html")
    if fault.kind is FaultKind.HTML:
        return Answer(200, _PAGE, "text/html")
    make = _BODIES.get(fault.kind)
    return answer if make is None else Answer(answer.status, make(answer.body), answer.content_type)


_BODIES: Mapping[FaultKind, Callable[[bytes], bytes]] = {
    FaultKind.HALF_JSON: lambda body: body[: len(body) // 2],
    FaultKind.TOO_LARGE: lambda _: b'"' + b"x" * 10_500_000 + b'"',
    FaultKind.TOO_DEEP: lambda _: b"[" * 100_000 + b"]" * 100_000,
    FaultKind.NOT_UTF8: lambda _: b'{"id": "\xff\xfe\x80"}',
}


async def _send(send: Send, answer: Answer, first: int | None = None) -> None:
    """`first`: send only so many bytes of the promised body."""
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    headers += [(k.encode("latin-1"), v.encode("latin-1")) for k, v in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = answer.body[:first]
    await send({"type": "http.response.body", "body": body, "more_body": first is not None})
