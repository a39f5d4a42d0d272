"""Live clients by name: made once, kept until their settings change, closed when nobody uses them.

A client is lent for the length of a `with` (`lease`), or handed out for good (`client`). Replaced,
dropped for want of room or at the pool's close, a lent one is closed by whoever gives it back last;
one that was handed out is closed a while later, when no call can be using it any more.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, Protocol, TypeVar

from trainbell.ports import Clock

MAX_CLIENTS = 256
RETIRED_FOR = timedelta(seconds=120)
"""How long a replaced client that was handed out stays open: longer than any call."""

log = logging.getLogger("trainbell")


class Closable(Protocol):
    def close(self) -> None: ...


Settings = TypeVar("Settings")
Client = TypeVar("Client", bound=Closable)


@dataclass(slots=True, eq=False)
class _Live(Generic[Settings, Client]):
    """A client, the settings it was made from, and who may be using it."""

    settings: Settings
    client: Client
    leases: int = 0
    handed_out: bool = False
    retired: bool = False


class ClientPool(Generic[Settings, Client]):
    """Thread-safe; one name's client is made by one thread, and no other name waits for it."""

    def __init__(
        self, make: Callable[[Settings], Client], clock: Clock, *, at_most: int = MAX_CLIENTS
    ) -> None:
        self._make = make
        self._clock = clock
        self._at_most = at_most
        self._lock = Lock()
        self._making: dict[str, Lock] = {}
        self._live: OrderedDict[str, _Live[Settings, Client]] = OrderedDict()
        self._waiting: list[tuple[datetime, _Live[Settings, Client]]] = []

    @contextmanager
    def lease(self, name: str, settings: Settings) -> Iterator[Client]:
        """The client, not closed before the `with` ends. Raises what `make` does."""
        live = self._taken(name, settings, leases=1)
        try:
            yield live.client
        finally:
            with self._lock:
                live.leases -= 1
                idle = live.retired and not live.leases and not live.handed_out
            if idle:
                _close(live)

    def client(self, name: str, settings: Settings) -> Client:
        """The client, for nobody knows how long. Raises what `make` does."""
        return self._taken(name, settings, leases=0).client

    def close(self) -> None:
        """Close all but what is lent: that is closed when it is given back."""
        with self._lock:
            open_ = [*self._live.values(), *(live for _, live in self._waiting)]
            self._live.clear()
            self._waiting.clear()
            for live in open_:
                live.retired, live.handed_out = True, False
            idle = [live for live in open_ if not live.leases]
        for live in idle:
            _close(live)

    def _taken(self, name: str, settings: Settings, leases: int) -> _Live[Settings, Client]:
        with self._lock:
            live = self._kept(name, settings, leases)
            making = self._making.setdefault(name, Lock())
        if live is not None:
            return live
        with making:
            with self._lock:
                # Another thread may have made it meanwhile.
                live = self._kept(name, settings, leases)
            return live or self._made(name, settings, leases)

    def _kept(self, name: str, settings: Settings, leases: int) -> _Live[Settings, Client] | None:
        live = self._live.get(name)
        if live is None or live.settings != settings:
            return None
        self._live.move_to_end(name)
        return _used(live, leases)

    def _made(self, name: str, settings: Settings, leases: int) -> _Live[Settings, Client]:
        live = _used(_Live(settings, self._make(settings)), leases)
        now = self._clock.now()
        with self._lock:
            former = self._live.pop(name, None)
            self._live[name] = live
            surplus = [former] if former else []
            while len(self._live) > self._at_most:
                surplus.append(self._live.popitem(last=False)[1])
            idle = self._retire(surplus, now)
        for each in idle:
            _close(each)
        return live

    def _retire(
        self, surplus: list[_Live[Settings, Client]], now: datetime
    ) -> list[_Live[Settings, Client]]:
        """Which of these, and of those that have waited long enough, nobody can be using."""
        past = [live for until, live in self._waiting if until <= now]
        self._waiting = [(until, live) for until, live in self._waiting if until > now]
        for live in surplus:
            live.retired = True
            if live.handed_out:
                self._waiting.append((now + RETIRED_FOR, live))
        for live in past:
            live.handed_out = False
        return [live for live in (*surplus, *past) if not live.leases and not live.handed_out]


def _used(live: _Live[Settings, Client], leases: int) -> _Live[Settings, Client]:
    live.leases += leases
    live.handed_out |= not leases
    return live


def _close(live: _Live[Settings, Client]) -> None:
    try:
        live.client.close()
    except Exception:
        # What was done with it is done; that it did not close well must not undo that.
        log.exception("a client could not be closed")
