"""Stored settings by page and by name, together with those that are built in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trainbell.api.reading import PageQuery
from trainbell.domain.settings import ChannelConfig, ConfigRecord, Connection, Schedule
from trainbell.errors import NotFound
from trainbell.ports import Page, Record
from trainbell.use_cases.services import Services

_BUILT_IN = "~"
"""The cursor of the page with what is built in. No store writes such a cursor."""

_NAMES_SHOWN = 20
_WORDS: Mapping[type[ConfigRecord], str] = {
    Connection: "connection",
    ChannelConfig: "channel",
    Schedule: "schedule",
}


def list_settings(
    services: Services, kind: type[Record], query: PageQuery, built_in: Sequence[Record] = ()
) -> Page[Record]:
    """A page of at most `query.limit`. A stored setting hides the built-in one of its name."""
    store = services.store
    unhidden = [each for each in built_in if store.get_config(kind, each.name) is None]
    if query.cursor == _BUILT_IN:
        return Page(tuple(unhidden[: query.limit]))
    page = store.list_config(kind, limit=query.limit, cursor=query.cursor)
    if page.next_cursor is not None or not unhidden:
        return page
    if len(page.items) + len(unhidden) > query.limit:
        return Page(page.items, _BUILT_IN)
    return Page((*page.items, *unhidden))


def find_setting(
    services: Services, kind: type[Record], name: str, built_in: Sequence[Record] = ()
) -> Record:
    """The stored setting of this name, or the built-in one.

    Raises:
        NotFound: neither; names some that exist.
    """
    stored = services.store.get_config(kind, name)
    if stored is not None:
        return stored
    for record in built_in:
        if record.name == name:
            return record
    page = services.store.list_config(kind, limit=_NAMES_SHOWN)
    names = sorted({each.name for each in page.items} | {each.name for each in built_in})
    exist = f"these exist: {', '.join(names)}" if names else "none is configured yet"
    raise NotFound(f"there is no {_WORDS[kind]} {name!r}; {exist}")
