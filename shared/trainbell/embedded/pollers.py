"""The threads that look at jobs: as few as the services' answers allow, as many as they need.

Threads that have work at the same time hinder each other: ten thousand jobs at a fast service take
1,640 µs of CPU a look with sixteen threads, 1,490 with two and 1,120 with one. A slow service needs
hundreds, which mostly wait. So threads come when orders are left waiting while the processor is
not busy, and go when nobody has needed them for a while.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from trainbell.embedded.shares import AT_MOST
from trainbell.ports import DueJob

AT_FIRST = 1
GROWTH = 16
"""At least two threads more a tick while orders are overdue, and a sixteenth of those there are."""

OVERDUE_TICKS = 4
"""A burst at a fast service needs patience, not a crowd."""

BUSY_PROCESSOR = 0.8
"""Of one core, which is all that Python's threads share: beyond, more of them only cost more."""

HALF_LIFE_SECONDS = 5.0
"""In which half of what was needed at most is forgotten."""


@dataclass(frozen=True, slots=True)
class Tick:
    """What is seen before orders are handed out. `at`, `cpu`: seconds of the clock that only goes
    forward, and of the processor. `put`, `taken`, `done`: orders so far; `threads`: how many."""

    at: float
    cpu: float
    put: int
    taken: int
    done: int
    threads: int


@dataclass(slots=True)
class Staffing:
    """How many threads there should be, by what is seen from tick to tick."""

    _needed: float = 0.0
    """Looks that were under way when the next were handed out: at most, and lately."""
    _ticks: deque[Tick] = field(default_factory=lambda: deque(maxlen=OVERDUE_TICKS + 1))

    def change(self, tick: Tick) -> int:
        """How many threads to add; below zero, how many may go."""
        before = self._ticks[-1] if self._ticks else tick
        self._ticks.append(tick)
        faded = self._needed * 0.5 ** ((tick.at - before.at) / HALF_LIFE_SECONDS)
        self._needed = max(float(tick.taken - tick.done), faded)
        if tick.put == tick.taken:
            return -max(0, tick.threads - AT_FIRST - int(self._needed))
        earlier = self._ticks[0]
        overdue = len(self._ticks) > OVERDUE_TICKS and tick.taken < earlier.put
        if not overdue or tick.cpu - earlier.cpu > BUSY_PROCESSOR * (tick.at - earlier.at):
            return 0
        return min(max(2, tick.threads // GROWTH), AT_MOST - tick.threads)


class Pollers:
    """Does the work of each order in one of its threads. `work` raises nothing."""

    def __init__(
        self,
        work: Callable[[DueJob], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        processor: Callable[[], float] = time.process_time,
    ) -> None:
        self._work = work
        self._monotonic = monotonic
        self._processor = processor
        self._orders: queue.SimpleQueue[DueJob | None] = queue.SimpleQueue()
        self._staffing = Staffing()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._put = self._taken = self._done = self._dismissed = 0

    def __len__(self) -> int:
        with self._lock:
            return len(self._threads) - self._dismissed

    def start(self) -> None:
        for _ in range(AT_FIRST):
            self._add()

    def put(self, due: DueJob) -> None:
        with self._lock:
            self._put += 1
        self._orders.put(due)

    def staff(self) -> None:
        """Once a tick, before anything more is put: let threads come or go."""
        with self._lock:
            tick = Tick(
                at=self._monotonic(),
                cpu=self._processor(),
                put=self._put,
                taken=self._taken,
                done=self._done,
                threads=len(self._threads) - self._dismissed,
            )
        change = self._staffing.change(tick)
        for _ in range(change):
            self._add()
        for _ in range(-change):
            self._dismiss()

    @property
    def threads(self) -> list[threading.Thread]:
        """All that have not ended, those that were let go included."""
        with self._lock:
            return list(self._threads)

    def stop(self) -> None:
        """Let each thread end after the look that it is at."""
        for _ in range(len(self)):
            self._dismiss()

    def _add(self) -> None:
        thread = threading.Thread(target=self._run, name="trainbell-poll", daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _dismiss(self) -> None:
        with self._lock:
            self._dismissed += 1
        self._orders.put(None)

    def _run(self) -> None:
        while (due := self._orders.get()) is not None:
            with self._lock:
                self._taken += 1
            try:
                self._work(due)
            finally:
                with self._lock:
                    self._done += 1
        with self._lock:
            self._dismissed -= 1
            self._threads.remove(threading.current_thread())
