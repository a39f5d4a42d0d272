"""How many looks may be under way at once, and how many of them at one connection.

Work-conserving: a connection that answers may use what nobody else wants; one that hangs never gets
more than its share, and that share shrinks while it hangs and while room grows scarce. So neither a
slow service nor any number of hanging ones keeps the jobs of others waiting.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

AT_MOST = 640
"""Threads mostly wait for their services: at 300 ms an answer this is over 2,000 looks a second."""

SHARE = 64
SMALL_SHARE = 8
"""What a connection keeps that hangs, and what anybody gets while room is scarce."""

RESERVED = 128
"""Kept for connections that have less than their small share."""

LAST_RESERVED = 32
"""Kept for connections that have nothing under way."""

ANSWERS_COUNT_SECONDS = 2.0

HANGS_AFTER_SECONDS = 10.0
"""A look that takes longer has ended by a deadline, as far as shares go: it earns nothing."""


@dataclass(slots=True)
class _Connection:
    busy: int = 0
    answers: deque[float] = field(default_factory=deque)
    waits_since: float | None = None
    """Since when it has been asked without a single answer; None where it owes none."""


class Shares:
    """Who may take a look. Not thread-safe: its caller holds a lock. Times are of `monotonic`."""

    def __init__(
        self, at_most: int = AT_MOST, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._at_most = at_most
        self._monotonic = monotonic
        self._connections: defaultdict[str, _Connection] = defaultdict(_Connection)
        self._busy = 0

    @property
    def busy(self) -> int:
        return self._busy

    @property
    def room(self) -> int:
        return self._at_most - self._busy

    def take(self, name: str) -> bool:
        """Whether another look at this connection may begin; if so, it has its place."""
        now = self._monotonic()
        connection = self._connections[name]
        if self._busy >= self._at_most or connection.busy >= self._limit(connection, now):
            return False
        if connection.waits_since is None:
            connection.waits_since = now
        connection.busy += 1
        self._busy += 1
        return True

    def most(self, name: str) -> int:
        """How many looks at it are under way, and how many more might begin now."""
        connection = self._connections.get(name) or _Connection()
        return max(connection.busy, self._limit(connection, self._monotonic()))

    def give_back(self, name: str, took: float) -> None:
        """The look has ended, well or not, `took` seconds after it was sent. If that was soon, the
        connection does not hang, whatever it said."""
        now = self._monotonic()
        connection = self._connections[name]
        connection.busy -= 1
        self._busy -= 1
        if took <= HANGS_AFTER_SECONDS:
            connection.waits_since = now if connection.busy else None
            connection.answers.append(now)
            if len(connection.answers) > 2 * self._at_most:
                connection.answers.popleft()
        if not connection.busy and len(self._connections) > 2 * self._at_most:
            del self._connections[name]

    def _limit(self, connection: _Connection, now: float) -> int:
        """Its own share, and by Little's law what it has shown to answer: as many as it answered
        lately are under way at once where an answer takes that long."""
        if self.room <= LAST_RESERVED * self._at_most // AT_MOST:
            return 1
        if self.room <= RESERVED * self._at_most // AT_MOST:
            return SMALL_SHARE
        waits_since = connection.waits_since
        if waits_since is not None and now - waits_since > HANGS_AFTER_SECONDS:
            return SMALL_SHARE
        answers = connection.answers
        while answers and answers[0] < now - ANSWERS_COUNT_SECONDS:
            answers.popleft()
        return SHARE + len(answers)
