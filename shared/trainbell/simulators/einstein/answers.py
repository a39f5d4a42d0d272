"""Forms of answer that the simulated Einstein's calls share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainbell.simulators.einstein.checks import Refused
from trainbell.simulators.service import Answer, Request


def said(status: int, message: str) -> Answer:
    return Answer.json({"message": message}, status)


NOT_FOUND = said(404, "The requested resource does not exist")


def listed(items: Sequence[Mapping[str, Any]]) -> Answer:
    return Answer.json({"object": "list", "data": items})


def page_asked(request: Request, default: int) -> tuple[int, int]:
    """Offset and count. Raises Refused."""
    texts = request.query.get("offset", "0"), request.query.get("count", str(default))
    if not all(text.isdecimal() for text in texts):
        raise Refused("offset and count must be numbers")
    return int(texts[0]), int(texts[1])
