"""Slots of a connection: numbered holds, of which a job needs one, and it doesn't matter which."""

from __future__ import annotations

from collections.abc import Container

_KIND = "slot"


def slots_of(connection: str) -> str:
    """What every slot of this connection begins with, and no other hold."""
    return f"{_KIND}:{connection}:"


def slot_hold(connection: str, number: int) -> str:
    return f"{slots_of(connection)}{number}"


def parsed_slot(hold: str) -> tuple[str, int] | None:
    """The connection and number of a slot; None for any other hold."""
    kind, _, rest = hold.partition(":")
    connection, _, number = rest.rpartition(":")
    return (connection, int(number)) if kind == _KIND and connection else None


def first_free(taken: Container[str], connection: str, slots: int, first: int) -> str | None:
    """The first of the slots 0 to `slots` - 1 that isn't taken, from `first` on and around."""
    keys = (slot_hold(connection, (first + offset) % slots) for offset in range(slots))
    return next((key for key in keys if key not in taken), None)
