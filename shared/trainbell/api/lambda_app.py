"""The API as a Lambda handler behind an HTTP API with IAM authorisation."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from trainbell.api.app import ApiApp, Route, include_calls, response_of
from trainbell.api.calls import ApiReply, Request
from trainbell.api.endpoints import Endpoint
from trainbell.api.identity import IamIdentity, Identity
from trainbell.use_cases.ground.services import Services

LambdaHandler = Callable[[dict[str, Any], Any], dict[str, Any]]


def lambda_handler_for(services: Services, identity: Identity | None = None) -> LambdaHandler:
    """A handler for events of API Gateway's payload format 2.0. Make it once per process."""
    app = ApiApp(services, identity or IamIdentity())
    resolver = APIGatewayHttpResolver(debug=False)

    def make_route(endpoint: Endpoint) -> Route:
        def route(**path: str) -> Response[str]:
            return response_of(app.answer(endpoint, _request_of(resolver), path))

        return route

    def answer_unknown() -> ApiReply:
        return app.answer_unknown(_request_of(resolver))

    include_calls(resolver, make_route, answer_unknown)

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return resolver.resolve(event, context)

    return handler


def _request_of(resolver: APIGatewayHttpResolver) -> Request:
    event = resolver.current_event
    raw: Mapping[str, Any] = event.raw_event
    context: Mapping[str, Any] = raw.get("requestContext") or {}
    query = parse_qs(raw.get("rawQueryString") or "", keep_blank_values=True)
    headers = {name.lower(): value for name, value in (raw.get("headers") or {}).items()}
    return Request(
        method=event.http_method.upper(),
        path=event.path,
        query=query,
        headers=headers,
        body=_text_of(raw),
        iam=(context.get("authorizer") or {}).get("iam"),
        id=str(context.get("requestId") or ""),
    )


def _text_of(event: Mapping[str, Any]) -> str | None:
    body = event.get("body")
    if body is None or not event.get("isBase64Encoded"):
        return body
    try:
        data = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return str(body)
    # Bytes that are no UTF-8 become half surrogate pairs, which reading refuses by name.
    return data.decode(errors="surrogateescape")
