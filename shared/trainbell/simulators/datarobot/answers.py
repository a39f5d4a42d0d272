"""Answers that many calls share: errors, accepted work, pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from trainbell.simulators.datarobot.work import Work
from trainbell.simulators.service import Answer, Request

BASE = "/api/v2"
DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
Item = TypeVar("Item")


class Refused(Exception):
    """A call that is answered with an error: a body with `message`, and perhaps more."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.answer = Answer.json({"message": message, **more}, status)


def url(request: Request, path: str) -> str:
    return f"http://{request.headers.get('host', '')}{BASE}{path}"


def accepted(request: Request, work: Work, **body: Any) -> Answer:
    """202 with the Location of its status, as every start is answered."""
    location = url(request, f"/status/{work.id}/")
    return (
        Answer.json(body, 202, Location=location)
        if body
        else Answer(202, headers={"Location": location})
    )


def body_of(request: Request) -> dict[str, Any]:
    try:
        given = json.loads(request.body or b"{}")
    except ValueError:
        raise Refused(400, "The request body is no valid JSON.") from None
    if not isinstance(given, dict):
        raise Refused(422, "Invalid field data", errors={"body": "value is not a dict"})
    return given


def page(
    request: Request,
    items: Sequence[Item],
    shown: Callable[[Item], dict[str, Any]],
    *,
    with_total: bool = True,
    all_by_zero: bool = False,
) -> Answer:
    """One page, with absolute links to its neighbours. Without `limit` there are 100 items."""
    offset = _integer(request, "offset", 0, 0)
    limit = _integer(request, "limit", DEFAULT_LIMIT, 0 if all_by_zero else 1)
    limit = limit or max(len(items), 1)
    data = [shown(item) for item in items[offset : offset + limit]]

    def link(to: int) -> str:
        query = {**request.query, "offset": to, "limit": limit}
        return url(request, request.path.removeprefix(BASE)) + "?" + urlencode(query)

    more = offset + limit < len(items)
    answer: dict[str, Any] = {
        "count": len(data),
        "data": data,
        "next": link(offset + limit) if more else None,
        "previous": link(max(0, offset - limit)) if offset > 0 else None,
    }
    return Answer.json({**answer, "totalCount": len(items)} if with_total else answer)


def choice(request: Request, name: str, allowed: Sequence[str]) -> str | None:
    """A query parameter that is one of these, where it is given."""
    value = request.query.get(name)
    if value is not None and value not in allowed:
        raise Refused(422, "Invalid field data", errors={name: f"is none of {list(allowed)}"})
    return value


def flag(request: Request, name: str) -> bool | None:
    value = choice(request, name, ("false", "False", "true", "True"))
    return None if value is None else value.lower() == "true"


def _integer(request: Request, name: str, default: int, least: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    most = MAX_LIMIT if name == "limit" else 10**9
    if not text.isdigit() or not least <= int(text) <= most:
        raise Refused(
            422, "Invalid field data", errors={name: f"is no integer from {least} to {most}"}
        )
    return int(text)
