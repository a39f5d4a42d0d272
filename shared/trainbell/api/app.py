"""The one app: every call of the table, behind identity, with every error as a problem document.

`ApiApp.answer` is the whole path of a request and knows no engine. Powertools routes to it: in the
cloud as a Lambda handler (`lambda_app`), on one machine as an ASGI app (`asgi_app`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver, Router

from trainbell.api.calls import ApiCall, ApiReply, Request, reply_document
from trainbell.api.care import care
from trainbell.api.channel_kinds import channel_kinds
from trainbell.api.channels import channels
from trainbell.api.connections import connections
from trainbell.api.endpoints import Endpoint, Resource
from trainbell.api.health import health
from trainbell.api.identity import Identity
from trainbell.api.jobs import jobs
from trainbell.api.problems import problem_reply
from trainbell.api.providers import providers
from trainbell.api.reading import QueryModel, read_body, read_query, refuse_body
from trainbell.api.refusals import MethodNotAllowed, NoSuchCall, RequestMalformed
from trainbell.api.retention import retention
from trainbell.api.schedules import schedules
from trainbell.errors import InputInvalid
from trainbell.use_cases.ground.services import Services

Route = Callable[..., Any]

description = Resource("description")


@description.call("GET", "/v1/openapi.json", returns={200: dict})
def get_openapi(call: ApiCall) -> ApiReply:
    """This description of the API, in OpenAPI 3.1."""
    from trainbell.api.openapi import openapi_document

    return reply_document(openapi_document(RESOURCES, call.services.engine))


RESOURCES = (
    jobs,
    connections,
    channels,
    channel_kinds,
    schedules,
    providers,
    retention,
    care,
    health,
    description,
)


class ApiApp:
    """Answers requests. Never raises: what goes wrong is a problem document."""

    def __init__(self, services: Services, identity: Identity) -> None:
        self._services = services
        self._identity = identity

    def answer(self, endpoint: Endpoint, request: Request, path: Mapping[str, str]) -> ApiReply:
        """Identity, then reading, then the call itself."""
        try:
            by = self._identity.identify(request)
            body: Mapping[str, Any] = {}
            if endpoint.body is not None:
                media_type = request.headers.get("content-type")
                body = read_body(request.body, media_type, request.path)
            else:
                refuse_body(request.body)
            if endpoint.query is None:
                read_query(QueryModel, request.query)
            call = ApiCall(services=self._services, request=request, by=by, path=path, body=body)
            return endpoint.handler(call)
        except Exception as error:  # noqa: BLE001 - the last place where it can become an answer
            return problem_reply(_of_request(error, endpoint), request)

    def answer_unknown(self, request: Request) -> ApiReply:
        """A path or method that is not in the table. It, too, is told only to those who may."""
        try:
            self._identity.identify(request)
            allowed = allowed_methods(request.path)
            # Where its own method is among them, the router did not take a name's characters.
            if allowed and request.method not in allowed:
                raise MethodNotAllowed(request.method, request.path, allowed)
            raise NoSuchCall(f"no call has the path {request.path[:200]}; see /v1/openapi.json")
        except Exception as error:  # noqa: BLE001 - as above
            return problem_reply(error, request)


def include_calls(
    resolver: ApiGatewayResolver,
    make_route: Callable[[Endpoint], Route],
    answer_unknown: Callable[[], ApiReply],
) -> None:
    """Put every call on a Powertools router of its resource, and these on the resolver."""
    for resource in RESOURCES:
        router = Router()  # type: ignore[no-untyped-call]  # Powertools leaves it untyped
        for endpoint in resource.endpoints:
            router.route(endpoint.rule, endpoint.method)(make_route(endpoint))
        resolver.include_router(router)

    def not_found(_: Exception) -> Response[str]:
        return response_of(answer_unknown())

    resolver.not_found(not_found)


def response_of(reply: ApiReply) -> Response[str]:
    """Powertools' form of a reply. Nothing here may be cached or guessed at by a browser."""
    headers: dict[str, str | list[str]] = {
        **reply.headers,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if reply.body:
        headers["Content-Type"] = reply.media_type
    return Response(status_code=reply.status, body=reply.body, headers=headers)


def allowed_methods(path: str) -> list[str]:
    """The methods that a path has in the table, in its order."""
    steps = path.split("/")
    found = [
        endpoint.method
        for resource in RESOURCES
        for endpoint in resource.endpoints
        if _matches(endpoint.path.split("/"), steps)
    ]
    return list(dict.fromkeys(found))


def _matches(pattern: list[str], steps: list[str]) -> bool:
    return len(pattern) == len(steps) and all(
        part == step or (part.startswith("{") and step)
        for part, step in zip(pattern, steps, strict=True)
    )


def _of_request(error: Exception, endpoint: Endpoint) -> Exception:
    """Without a body, wrong input is a wrong query (a stale cursor): 400 rather than 422."""
    if endpoint.method in ("GET", "DELETE") and type(error) is InputInvalid:
        return RequestMalformed(error.problems)
    return error
