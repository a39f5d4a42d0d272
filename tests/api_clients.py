"""Two ways to call the API in process: as uvicorn would, and as API Gateway would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

from tests.builders import FakeClock
from tests.toy_service import ToyService, a_trainbell
from trainbell.api.asgi_app import asgi_app_for
from trainbell.api.identity import OwnerIdentity
from trainbell.api.lambda_app import lambda_handler_for
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.services import Services

TOKEN = "the-owners-token-of-this-test"
ARN = "arn:aws:iam::123456789012:user/ada"
OWNER = {"host": "127.0.0.1:8765", "authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)

    def paths(self) -> list[str]:
        """Where the problem document says that something is wrong."""
        return [each["path"] for each in self.json()["errors"]]


class Client(Protocol):
    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Answer: ...


@dataclass
class EmbeddedClient:
    """`identity` headers replace those of the owner where they are given."""

    services: Services
    identity: Mapping[str, str] = field(default_factory=lambda: dict(OWNER))

    def __post_init__(self) -> None:
        self._app = asgi_app_for(self.services, OwnerIdentity(TOKEN))

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Answer:
        given = {**self.identity, **_typed(body), **(headers or {})}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": urlencode(query or {}, doseq=True).encode(),
            "headers": [(name.lower().encode(), text.encode()) for name, text in given.items()],
        }
        return asyncio.run(self._exchange(scope, _data(body)))

    async def _exchange(self, scope: dict[str, Any], data: bytes) -> Answer:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        head = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        text = b"".join(message["body"] for message in sent[1:]).decode()
        return Answer(sent[0]["status"], head, text)


@dataclass
class CloudClient:
    services: Services
    iam: Mapping[str, Any] | None = field(default_factory=lambda: {"userArn": ARN})

    def __post_init__(self) -> None:
        self._handler = lambda_handler_for(self.services)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Answer:
        given = {"host": "api.example.com", **_typed(body), **(headers or {})}
        context: dict[str, Any] = {
            "stage": "$default",
            "requestId": "request-1",
            "http": {"method": method, "path": path},
        }
        if self.iam is not None:
            context["authorizer"] = {"iam": self.iam}
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": urlencode(query or {}, doseq=True),
            "headers": {name.lower(): text for name, text in given.items()},
            "requestContext": context,
            "isBase64Encoded": False,
        }
        if body is not None:
            event["body"] = _data(body).decode()
        answer = self._handler(event, None)
        head = {name.lower(): value for name, value in answer["headers"].items()}
        return Answer(answer["statusCode"], head, answer["body"])


def a_service_on_disk(folder: Path, clock: FakeClock, **spec: object) -> Services:
    """A whole Trainbell on a real store in `folder`; its toy service runs on `clock`."""
    store = SqliteStore(folder / "trainbell.sqlite3")
    return a_trainbell(store, ToyService(clock), spec=spec)


def _data(body: Any) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def _typed(body: Any) -> dict[str, str]:
    return {} if body is None else {"content-type": "application/json"}
