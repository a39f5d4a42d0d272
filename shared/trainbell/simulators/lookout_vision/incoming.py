"""A verified request of the simulated service, and what all its operations do with one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trainbell.simulators.lookout_vision.account import Account, Project
from trainbell.simulators.lookout_vision.refusals import Checks, invalid

MAX_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A verified request. `listed_until`: models made later are not in lists yet."""

    operation: str
    names: Mapping[str, str]
    query: Mapping[str, str]
    raw_query: str
    token: str | None
    body: Mapping[str, Any]
    listed_until: datetime
    may_tag: bool
    started: Callable[[str], None]


def checked(incoming: Incoming) -> Checks:
    """With the names in the path and the token looked at, which every call has in common."""
    checks = Checks()
    for name, value in incoming.names.items():
        if name != "resourceArn":
            checks.text(value, name, required=True)
    checks.text(incoming.token, "clientToken", required=False)
    return checks


def project_of(account: Account, incoming: Incoming) -> Project:
    checked(incoming).done()
    return account.project(incoming.names["projectName"])


def page(
    incoming: Incoming,
    member: str,
    items: Sequence[tuple[str, Any]],
    shown: Callable[[Any], dict[str, Any]],
) -> dict[str, Any]:
    """A page that begins behind the item of the token, so that new ones shift nothing."""
    checks = Checks()
    checks.text(incoming.query.get("nextToken"), "nextToken", required=False)
    checks.done()
    try:
        size = int(incoming.query.get("maxResults", MAX_PAGE))
    except ValueError as exc:
        raise invalid("Value at 'maxResults' is no number") from exc
    if not 1 <= size <= MAX_PAGE:
        raise invalid(f"Value at 'maxResults' must be between 1 and {MAX_PAGE}")
    token = incoming.query.get("nextToken")
    start = 0 if not token else _after(token, [key for key, _ in items])
    shown_now = items[start : start + size]
    answer: dict[str, Any] = {member: [shown(item) for _, item in shown_now]}
    if start + size < len(items):
        answer["NextToken"] = base64.b64encode(shown_now[-1][0].encode()).decode()
    return answer


def _after(token: str, keys: Sequence[str]) -> int:
    try:
        last = base64.b64decode(token, validate=True).decode()
        return keys.index(last) + 1
    except (binascii.Error, ValueError) as exc:
        raise invalid("The pagination token is invalid.") from exc
