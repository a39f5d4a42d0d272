"""The table of calls: each resource module fills one `Resource`; the apps and OpenAPI read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from pydantic import BaseModel

from trainbell.api.calls import ApiCall, ApiReply

Handler = Callable[[ApiCall], ApiReply]


class WaitsFor(Enum):
    """What a call waits for. A server keeps these apart, so that a silent service that is tried
    by many holds up neither what needs only the store nor a cancel."""

    STORE = "store"
    SERVICE = "service"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One call. `path` is in OpenAPI's form, `/v1/jobs/{id}`.

    `body` is the model of its JSON body; None takes none. `query` is the model of its query.
    `returns` maps each good status to its model; None has no content, `dict` is any JSON object.
    `headers` are request headers that it reads, with what they are for. `refuses` are the
    statuses of its own problems, besides those that every call may have. `waits_for`: whose
    answer it may take long to wait for.
    """

    method: str
    path: str
    summary: str
    handler: Handler
    returns: Mapping[int, type[BaseModel] | type[dict[str, object]] | None]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    refuses: tuple[int, ...] = ()
    waits_for: WaitsFor = WaitsFor.STORE

    @property
    def operation_id(self) -> str:
        return self.handler.__name__.lstrip("_")

    @property
    def rule(self) -> str:
        """The path in Powertools' form, `/v1/jobs/<id>`."""
        return self.path.replace("{", "<").replace("}", ">")


@dataclass(slots=True, eq=False)
class Resource:
    """The calls of one kind of thing. `call` registers a function as the handler of one."""

    name: str
    endpoints: list[Endpoint] = field(default_factory=list)

    def call(
        self,
        method: str,
        path: str,
        *,
        returns: Mapping[int, type[BaseModel] | type[dict[str, object]] | None],
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        headers: Mapping[str, str] | None = None,
        refuses: tuple[int, ...] = (),
        waits_for: WaitsFor = WaitsFor.STORE,
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            endpoint = Endpoint(
                method=method,
                path=path,
                summary=(handler.__doc__ or "").strip(),
                handler=handler,
                returns=returns,
                body=body,
                query=query,
                headers=headers or {},
                refuses=refuses,
                waits_for=waits_for,
            )
            self.endpoints.append(endpoint)
            return handler

        return register
