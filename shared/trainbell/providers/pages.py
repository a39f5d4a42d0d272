"""One page of a service's list, as the calls on an account give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from trainbell.providers.orders import Parameters


class Page(Parameters):
    """Which page: how many items, after how many."""

    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 50


def page_of(
    items: Sequence[BaseModel], given: Page, *, total: int | None = None, ended: bool | None = None
) -> Mapping[str, Any]:
    """`ended`: whether the service says that this is the last page. Where it says neither that nor
    a total, a page with nothing in it is the last."""
    after = given.offset + len(items)
    if ended is None:
        ended = not items if total is None else after >= total
    going_on = {**given.model_dump(mode="json", exclude_unset=True), "offset": after}
    return {
        "items": [item.model_dump(mode="json", by_alias=True) for item in items],
        "next": None if ended or not items else going_on,
    }
