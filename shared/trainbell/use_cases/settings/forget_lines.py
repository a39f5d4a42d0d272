"""After a clock was ahead: no connection's line of calls begins in the future."""

from __future__ import annotations

from trainbell.domain.settings import Connection
from trainbell.use_cases.ground.find_connection import built_in_connections
from trainbell.use_cases.ground.services import Services


def forget_lines(services: Services) -> None:
    """Let every connection's rate budget begin anew: one window may hold more calls than it allows,
    which is the lesser evil than a connection that is silent for as long as the clock was ahead."""
    names = {each.name for each in built_in_connections(services)}
    cursor = None
    while True:
        page = services.store.list_config(Connection, cursor=cursor)
        names.update(each.name for each in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    for name in sorted(names):
        services.store.lift_silence(name)
