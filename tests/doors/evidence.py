"""What really went through Trainbell's API while a test ran.

Embedded, the app itself notes each answer that it gives. In the cloud the app is in another
process, so there the client notes each answer that it got from the API's address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import httpx

from trainbell.api.app import ApiApp
from trainbell.api.calls import ApiReply, Request
from trainbell.api.endpoints import Endpoint
from trainbell.client import Trainbell

EMBEDDED, CLOUD = "embedded", "cloud"
CLOUD_PATH = "/_aws/execute-api/"
"""Of the addresses of deployed APIs."""


@dataclass(frozen=True)
class Exchange:
    """One answered call. `document`: the answer, where it is a JSON object."""

    engine: str
    method: str
    path: str
    status: int
    document: Mapping[str, Any]

    @property
    def done(self) -> str | None:
        """Which operation this was: start, poll, cancel, delete, logs, ask, refuse; or none."""
        for operation, method, path, statuses in _OPERATIONS:
            if self.method == method and re.fullmatch(path, self.path) and self.status in statuses:
                if operation == "poll" and not self.document.get("polls"):
                    return None  # The engine has not looked at the service yet.
                return operation
        return None


_OPERATIONS: Sequence[tuple[str, str, str, Sequence[int]]] = (
    ("start", "POST", r"/v1/jobs", (201,)),
    ("refuse", "POST", r"/v1/jobs", (409, 422)),
    ("poll", "GET", r"/v1/jobs/[^/]+", (200,)),
    ("cancel", "POST", r"/v1/jobs/[^/]+/cancel", (202,)),
    ("logs", "GET", r"/v1/jobs/[^/]+/logs", (200,)),
    ("delete", "POST", r"/v1/connections/[^/]+/calls/delete_\w+", (200,)),
    ("ask", "POST", r"/v1/connections/[^/]+/calls/\w+", (200,)),
)


@contextmanager
def noted() -> Iterator[list[Exchange]]:
    """Every exchange with an API of this process, or with a deployed one, meanwhile."""
    exchanges: list[Exchange] = []
    answer, send = ApiApp.answer, Trainbell._send

    def noting_answer(
        app: ApiApp, endpoint: Endpoint, request: Request, path: Mapping[str, str]
    ) -> ApiReply:
        reply = answer(app, endpoint, request, path)
        exchanges.append(
            Exchange(EMBEDDED, request.method, request.path, reply.status, _object(reply.body))
        )
        return reply

    def noting_send(client: Trainbell, request: httpx.Request, tries: int) -> httpx.Response:
        response = send(client, request, tries)
        _, found, rest = request.url.path.partition(CLOUD_PATH)
        if found:
            path = "/" + rest.split("/", 2)[2]
            exchanges.append(
                Exchange(CLOUD, request.method, path, response.status_code, _object(response.text))
            )
        return response

    with (
        patch.object(ApiApp, "answer", noting_answer),
        patch.object(Trainbell, "_send", noting_send),
    ):
        yield exchanges


def missing(exchanges: Sequence[Exchange], engine: str, wanted: Sequence[str]) -> list[str]:
    """The operations of these that did not go through the API of this engine."""
    done = {each.done for each in exchanges if each.engine == engine}
    return [operation for operation in wanted if operation not in done]


def _object(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text or "{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
