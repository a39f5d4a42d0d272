"""Virtual time, and tasks that take turns: one at a time, always in the same order.

A task is a greenlet. It runs until it pauses; then whoever is due next runs. So any interleaving of
any number of processes is a matter of when each is due, and that comes from the seed.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from greenlet import GreenletExit, getcurrent, greenlet

ASKED_EVERY = 60.0


class Killed(BaseException):
    """The process is gone: nothing catches this, and nothing runs after it."""


class Task:
    """Something that runs by itself, and may be killed at each of its pauses."""

    def __init__(
        self,
        clockwork: Clockwork,
        name: str,
        work: Callable[[], object],
        on_over: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self._clockwork = clockwork
        self._work = work
        self._on_over = on_over
        self._greenlet = greenlet(self._run, parent=clockwork.hub)
        self._turn = 0
        self._waits = self._is_woken = False
        clockwork.at(0.0, self._resumer())

    @property
    def is_over(self) -> bool:
        return bool(self._greenlet.dead)

    def kill(self) -> None:
        """Ends it where it pauses. One that has not begun never begins."""
        self._turn += 1
        if self._greenlet.dead:
            return
        has_begun = bool(self._greenlet)
        # It comes back to whoever kills it, not to the hub.
        self._greenlet.parent = getcurrent()
        self._greenlet.throw(Killed if has_begun else GreenletExit)
        if not has_begun:
            self._on_over()

    def wake(self) -> None:
        """Ends its `wait` before its time; or its next one, as an event would."""
        self._is_woken = True
        if self._waits:
            self._clockwork.at(0.0, self._resumer())

    def wait(self, seconds: float) -> None:
        """A pause that `wake` ends."""
        if not self._is_woken:
            self._waits = True
            self.pause(seconds)
            self._waits = False
        self._is_woken = False

    def pause(self, seconds: float) -> None:
        self._clockwork.at(seconds, self._resumer())
        self._clockwork.hub.switch()

    def _resumer(self) -> Callable[[], None]:
        turn = self._turn

        def resume() -> None:
            if turn == self._turn and not self._greenlet.dead:
                self._turn += 1
                self._clockwork.current = self
                self._greenlet.switch()

        return resume

    def _run(self) -> None:
        try:
            self._work()
        except Killed:
            pass
        finally:
            self._on_over()


class Clockwork:
    """`now` is the true time, in seconds since the beginning."""

    def __init__(self) -> None:
        self.now = 0.0
        self.hub = getcurrent()
        self.current: Task | None = None
        self._order = count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Do it so many seconds from now."""
        heapq.heappush(self._due, (self.now + seconds, next(self._order), action))

    def spawn(
        self, name: str, work: Callable[[], object], on_over: Callable[[], None] = lambda: None
    ) -> Task:
        return Task(self, name, work, on_over)

    def pause(self, seconds: float) -> None:
        """Let others run meanwhile. Does nothing outside of a task, where nobody else runs."""
        task = self.current
        if task is not None and getcurrent() is not self.hub:
            task.pause(seconds)

    def run(self, until: Callable[[], bool], deadline: float, turns: int) -> bool:
        """Do what is due, one after the other, until `until` says so; it is asked now and then.
        False where that had not come by `deadline`, or in so many turns."""
        next_asked = 0.0
        for _ in range(turns):
            if self.now >= next_asked:
                if until():
                    return True
                next_asked = self.now + ASKED_EVERY
            if not self._due or self._due[0][0] > deadline:
                return until()
            self.now, _, action = heapq.heappop(self._due)
            action()
        return False
