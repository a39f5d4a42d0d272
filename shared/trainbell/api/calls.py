"""What an endpoint gets (a call) and gives (a reply), whichever engine carried the request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from trainbell.domain.access import Caller
from trainbell.use_cases.ground.services import Services

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it came in. Header names are in lower case; `body` is text, or None.

    `iam` is what API Gateway says of the caller whose signature it has checked.
    """

    method: str
    path: str
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    iam: Mapping[str, Any] | None = None
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """A request that passed identity and reading. `by` is who calls."""

    services: Services
    request: Request
    by: Caller
    path: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApiReply:
    """Status, JSON text (empty for 204) and headers."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON_TYPE


def reply(view: BaseModel, status: int = 200, **headers: str) -> ApiReply:
    """`headers`: names with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ApiReply(status, view.model_dump_json(), named)


def reply_document(document: Mapping[str, Any], status: int = 200) -> ApiReply:
    return ApiReply(status, json.dumps(document, separators=(",", ":"), ensure_ascii=False))


def reply_setting(view: BaseModel, revision: str, status: int = 200) -> ApiReply:
    """With the revision as its ETag; what is built in has none."""
    return reply(view, status, ETag=f'"{revision}"') if revision else reply(view, status)


def no_content() -> ApiReply:
    return ApiReply(204)
