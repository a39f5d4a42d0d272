"""The API as an ASGI app for a server on one machine."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import HttpResolverLocal, Response

from trainbell.api.app import ApiApp, Route, include_calls, response_of
from trainbell.api.calls import ApiReply, Request
from trainbell.api.endpoints import Endpoint, WaitsFor
from trainbell.api.identity import Identity
from trainbell.api.lanes import Lane
from trainbell.api.problems import problem_reply
from trainbell.api.reading import BODY_BYTES_AT_MOST, body_too_large
from trainbell.api.refusals import BodyTooLarge, BodyTooSlow, Overloaded, RequestMalformed
from trainbell.errors import Problem, TrainbellError
from trainbell.use_cases.ground.services import Services

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]

BODY_SECONDS_AT_MOST = 30.0
LEFT_BYTES_AT_MOST = 65_536
LEFT_SECONDS = 0.5
ADMITTED = "trainbell.admitted"
"""In a scope's `state`: the caller is known."""


def lanes() -> Mapping[WaitsFor, Lane]:
    """Few threads for what is answered from the store; calls that wait for somebody else have
    their own, and no line: who comes last would wait longer than he would for a second try."""
    return {
        WaitsFor.STORE: Lane("api", threads=8, waiting=248, retry_after_seconds=1),
        WaitsFor.SERVICE: Lane("api-service", threads=16, waiting=0, retry_after_seconds=10),
        WaitsFor.CANCEL: Lane("api-cancel", threads=16, waiting=16, retry_after_seconds=5),
    }


def asgi_app_for(services: Services, identity: Identity) -> AsgiApp:
    """The API behind its gate. Calls run in threads, so none holds up another."""
    app = ApiApp(services, identity)
    resolver = HttpResolverLocal(debug=False)
    lane_of = lanes()

    def make_route(endpoint: Endpoint) -> Route:
        lane = lane_of[endpoint.waits_for]

        async def route(**path: str) -> Response[str]:
            request = _request_of(resolver)
            try:
                reply = await lane.run(partial(app.answer, endpoint, request, path))
            except Overloaded as error:
                reply = problem_reply(error, request)
            return response_of(reply)

        return route

    def answer_unknown() -> ApiReply:
        return app.answer_unknown(_request_of(resolver))

    include_calls(resolver, make_route, answer_unknown)
    return Gate(resolver, identity)


class Gate:
    """Lets in a request whose caller is known, with its body: within bounds, and whole.

    1. The head is read and the caller known before one byte of the body is kept.
    2. The body has a bound and a time. (The resolver behind reads it whatever its size, and takes
       its bytes for UTF-8.)
    """

    def __init__(
        self,
        app: AsgiApp,
        identity: Identity,
        *,
        bytes_at_most: int = BODY_BYTES_AT_MOST,
        seconds_at_most: float = BODY_SECONDS_AT_MOST,
    ) -> None:
        self._app = app
        self._identity = identity
        self._bytes_at_most = bytes_at_most
        self._seconds_at_most = seconds_at_most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _refuse_unreadable(scope)
            self._identity.identify(_head_of(scope))
            scope.setdefault("state", {})[ADMITTED] = True
            body = await self._read(scope, receive)
        except TrainbellError as error:
            await _discard_rest(scope, receive)
            await _send_refusal(error, scope, send)
            return

        async def whole_body() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, whole_body, send)

    async def _read(self, scope: Message, receive: Receive) -> bytes:
        if _declared_length(scope) > self._bytes_at_most:
            raise self._too_large(scope)
        try:
            async with asyncio.timeout(self._seconds_at_most):
                return await self._read_all(scope, receive)
        except TimeoutError as exc:
            raise BodyTooSlow(f"it took longer than {self._seconds_at_most:g} s") from exc

    async def _read_all(self, scope: Message, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestMalformed([Problem("body", "the connection ended in the middle")])
            body += message.get("body", b"")
            if len(body) > self._bytes_at_most:
                raise self._too_large(scope)
            if not message.get("more_body", False):
                break
        try:
            body.decode()
        except UnicodeDecodeError as exc:
            raise RequestMalformed([Problem("body", "must be UTF-8")]) from exc
        return bytes(body)

    def _too_large(self, scope: Message) -> BodyTooLarge:
        return body_too_large(self._bytes_at_most, scope["path"])


def _refuse_unreadable(scope: Message) -> None:
    try:
        scope["query_string"].decode("ascii")
        for name, value in scope["headers"]:
            name.decode()
            value.decode()
    except UnicodeDecodeError as exc:
        raise RequestMalformed([Problem("header", "headers and query must be UTF-8")]) from exc


def _head_of(scope: Message) -> Request:
    headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
    return Request(method=scope["method"], path=scope["path"], headers=headers)


def _declared_length(scope: Message) -> int:
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    return int(declared) if declared.isdigit() else 0


async def _discard_rest(scope: Message, receive: Receive) -> None:
    """Take in the rest of a small body that is on its way: closing the connection on it would cut
    the refusal off. Nothing of it is kept."""
    headers = dict(scope["headers"])
    if not 0 < _declared_length(scope) <= LEFT_BYTES_AT_MOST or b"expect" in headers:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(LEFT_SECONDS):
            while (await receive()).get("more_body", False):
                pass


async def _send_refusal(error: TrainbellError, scope: Message, send: Send) -> None:
    request = Request(method=scope["method"], path=scope["path"], id=str(uuid.uuid4()))
    reply = problem_reply(error, request)
    body = reply.body.encode()
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),  # The rest of the body may still be on its way.
        *((name.lower().encode(), value.encode()) for name, value in reply.headers.items()),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _request_of(resolver: HttpResolverLocal) -> Request:
    event = resolver.current_event
    return Request(
        method=event.http_method.upper(),
        path=event.path,
        query=event.multi_value_query_string_parameters,
        headers=event.raw_event["headers"],
        body=event.body,
        id=str(uuid.uuid4()),
    )
