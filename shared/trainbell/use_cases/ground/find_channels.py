"""Which channels and kinds of channel there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trainbell.domain.settings import ChannelConfig
from trainbell.errors import NotFound
from trainbell.ports import ChannelSpec
from trainbell.use_cases.ground.services import Services, log

NAMES_SHOWN = 20


def all_channel_kinds(services: Services) -> Sequence[ChannelSpec]:
    """By name. One that cannot be loaded is logged and left out; asked for by name, it says why."""
    found = []
    for name in services.channels.names():
        try:
            found.append(services.channels.spec(name))
        except Exception:
            log.exception("channel %s cannot be loaded", name)
    return found


def all_channels(services: Services) -> Iterator[ChannelConfig]:
    """The built-in ones, then the configured ones by name."""
    yield from services.channels.built_in()
    cursor = None
    while True:
        page = services.store.list_config(ChannelConfig, limit=100, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def unreadable_channels(services: Services) -> frozenset[str]:
    """Names of channels whose settings are stored and cannot be read, until they are put again."""
    names: list[str] = []
    cursor = None
    while True:
        page = services.store.list_config(ChannelConfig, limit=100, cursor=cursor)
        names += page.unreadable
        cursor = page.next_cursor
        if cursor is None:
            return frozenset(names)


def find_channel(services: Services, name: str) -> ChannelConfig:
    """Raises NotFound, naming those that exist."""
    for channel in services.channels.built_in():
        if channel.name == name:
            return channel
    stored = services.store.get_config(ChannelConfig, name)
    if stored is not None:
        return stored
    names = [channel.name for channel in all_channels(services)]
    shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
    known = f"these exist: {shown}" if names else "none is configured yet"
    raise NotFound(f"there is no channel {name!r}; {known}")
