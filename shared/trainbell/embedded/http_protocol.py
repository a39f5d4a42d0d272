"""HTTP for one connection of the local server: nobody keeps a place by being slow.

uvicorn bounds a body by its flow control and a kept-alive connection by a timeout. A client that
connects and says nothing, drips its headers, or reads no answer has no bound there, and 260 such
clients lock everybody out.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from trainbell.api.asgi_app import ADMITTED
from trainbell.api.calls import Request
from trainbell.api.problems import problem_reply
from trainbell.api.refusals import Overloaded, RequestMalformed
from trainbell.errors import Problem, TrainbellError

RETRY_SECONDS = 1


class BoundedProtocol(H11Protocol):
    """uvicorn's protocol with a deadline on each thing that the client must do.

    Beyond `connections_at_once` the connection that has kept the server waiting longest makes
    room, one whose caller is not known first. So a new one finds a place whatever others hold;
    only where all are being answered it is refused.

    `head_seconds`: for a request's head to arrive whole, from the connection's begin or the head's
    first byte. `take_seconds`: for the client to take more of an answer.
    """

    connections_at_once = 256
    head_seconds = 10.0
    take_seconds = 30.0

    _deadline: asyncio.TimerHandle | None = None
    _waits_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._waits_since = self.loop.time()
        self._arm(self.head_seconds)
        if len(self.connections) > self.connections_at_once:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and not self._has_request:
            self._arm(self.head_seconds)
        super().data_received(data)
        if self._has_request:
            self._disarm()

    def on_response_complete(self) -> None:
        self._waits_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._arm(self.take_seconds)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._disarm()

    def send_400_response(self, msg: str) -> None:
        self._refuse(RequestMalformed([Problem("request", msg)]))

    @property
    def _has_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def waits_for_client(self) -> bool:
        return not self._has_request or self.cycle.more_body

    @property
    def _order_of_leaving(self) -> tuple[bool, float]:
        admitted = self._has_request and ADMITTED in self.scope["state"]
        return admitted, self._waits_since

    def _make_room(self) -> None:
        waiting = [
            each
            for each in self.connections
            if isinstance(each, BoundedProtocol) and each is not self and each.waits_for_client
        ]
        if not waiting:
            self._refuse(Overloaded("all connections are in use", RETRY_SECONDS))
            return
        first = min(waiting, key=lambda each: each._order_of_leaving)
        # Its own `connection_lost` comes a turn later, and others may arrive before.
        self.connections.discard(first)
        first.transport.abort()

    def _refuse(self, error: TrainbellError) -> None:
        """Answer, whatever was asked, and close. In the middle of an answer, only close."""
        if self._has_request and self.cycle.response_started:
            self.transport.abort()
            return
        reply = problem_reply(error, Request(method="", path=""))
        body = reply.body.encode()
        reason = "Bad Request" if reply.status == 400 else "Service Unavailable"  # noqa: PLR2004
        headers: dict[str, Any] = {
            "Content-Type": reply.media_type,
            "Content-Length": len(body),
            "Cache-Control": "no-store",
            "Connection": "close",
            **reply.headers,
        }
        lines = [f"HTTP/1.1 {reply.status} {reason}", *(f"{k}: {v}" for k, v in headers.items())]
        self.connections.discard(self)
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
