"""Pages of stored settings, with those that are built in after the last stored one."""

from __future__ import annotations

from collections.abc import Sequence

from trainbell.api.reading import PageQuery
from trainbell.ports import Page, Record
from trainbell.use_cases.ground.services import Services

_BUILT_IN = "~"
"""The cursor of the page with what is built in. No store writes such a cursor."""


def list_settings(
    services: Services, kind: type[Record], query: PageQuery, built_in: Sequence[Record] = ()
) -> Page[Record]:
    """A page of at most `query.limit`. A stored setting hides the built-in one of its name."""
    store = services.store
    unhidden = tuple(each for each in built_in if store.get_config(kind, each.name) is None)
    if query.cursor == _BUILT_IN:
        return Page(unhidden[: query.limit])
    page = store.list_config(kind, limit=query.limit, cursor=query.cursor)
    if page.next_cursor is not None or not unhidden:
        return page
    if len(page.items) + len(unhidden) > query.limit:
        return Page(page.items, _BUILT_IN, page.unreadable)
    return Page(page.items + unhidden, None, page.unreadable)
