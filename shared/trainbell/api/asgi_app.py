"""The API as an ASGI app for a server on one machine."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from aws_lambda_powertools.event_handler import HttpResolverLocal, Response

from trainbell.api.app import ApiApp, Route, include_calls, response_of
from trainbell.api.calls import ApiReply, Request
from trainbell.api.endpoints import Endpoint
from trainbell.api.identity import Identity
from trainbell.api.problems import problem_reply
from trainbell.api.reading import BODY_BYTES_AT_MOST
from trainbell.api.refusals import BodyTooLarge, BodyTooSlow, RequestMalformed
from trainbell.errors import Problem, TrainbellError
from trainbell.use_cases.ground.services import Services

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]

BODY_SECONDS_AT_MOST = 30.0


def asgi_app_for(services: Services, identity: Identity) -> AsgiApp:
    """The API behind a bound on the body. Calls run in threads, so none holds up another."""
    app = ApiApp(services, identity)
    resolver = HttpResolverLocal(debug=False)

    def make_route(endpoint: Endpoint) -> Route:
        async def route(**path: str) -> Response[str]:
            request = _request_of(resolver)
            return response_of(await asyncio.to_thread(app.answer, endpoint, request, path))

        return route

    def answer_unknown() -> ApiReply:
        return app.answer_unknown(_request_of(resolver))

    include_calls(resolver, make_route, answer_unknown)
    return BoundedBody(resolver)


class BoundedBody:
    """Reads a body only up to its bound and its time, and hands it on whole.

    The resolver behind it reads a body whatever its size, and takes its bytes for UTF-8.
    """

    def __init__(
        self,
        app: AsgiApp,
        *,
        bytes_at_most: int = BODY_BYTES_AT_MOST,
        seconds_at_most: float = BODY_SECONDS_AT_MOST,
    ) -> None:
        self._app = app
        self._bytes_at_most = bytes_at_most
        self._seconds_at_most = seconds_at_most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _refuse_unreadable(scope)
            body = await self._read(scope, receive)
        except TrainbellError as error:
            await _send_refusal(error, scope, send)
            return

        async def whole_body() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, whole_body, send)

    async def _read(self, scope: Message, receive: Receive) -> bytes:
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._bytes_at_most:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._seconds_at_most):
                return await self._read_all(receive)
        except TimeoutError as exc:
            raise BodyTooSlow(f"it took longer than {self._seconds_at_most:g} s") from exc

    async def _read_all(self, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestMalformed([Problem("body", "the connection ended in the middle")])
            body += message.get("body", b"")
            if len(body) > self._bytes_at_most:
                raise self._too_large()
            if not message.get("more_body", False):
                break
        try:
            body.decode()
        except UnicodeDecodeError as exc:
            raise RequestMalformed([Problem("body", "must be UTF-8")]) from exc
        return bytes(body)

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"a body may have at most {self._bytes_at_most} bytes")


def _refuse_unreadable(scope: Message) -> None:
    try:
        scope["query_string"].decode("ascii")
        for name, value in scope["headers"]:
            name.decode()
            value.decode()
    except UnicodeDecodeError as exc:
        raise RequestMalformed([Problem("header", "headers and query must be UTF-8")]) from exc


async def _send_refusal(error: TrainbellError, scope: Message, send: Send) -> None:
    request = Request(method=scope["method"], path=scope["path"], id=str(uuid.uuid4()))
    reply = problem_reply(error, request)
    body = reply.body.encode()
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),  # The rest of the body is still on its way.
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
