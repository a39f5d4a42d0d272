"""The HTTP API behind API Gateway: every route, one function."""

from __future__ import annotations

from functools import cache
from typing import Any

from trainbell.api.lambda_app import LambdaHandler, lambda_handler_for
from trainbell.bootstrap.cloud import cloud_services
from trainbell.cloud.telemetry import count, observed


@cache
def app() -> LambdaHandler:
    return lambda_handler_for(cloud_services())


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    answer = app()(event, context)
    count({"ApiCalls": 1})
    return answer
