"""Threads come when a slow service needs them, and go when nobody does."""

from __future__ import annotations

import threading
from dataclasses import replace

from tests.builders import NOON
from trainbell.embedded.pollers import (
    AT_FIRST,
    HALF_LIFE_SECONDS,
    OVERDUE_TICKS,
    Pollers,
    Staffing,
    Tick,
)
from trainbell.embedded.shares import AT_MOST
from trainbell.ports import DueJob

TICK_SECONDS = 0.03
PATIENCE_SECONDS = 20.0


class Room:
    """A loop's ticks, as they would be seen with this many threads."""

    def __init__(self, threads: int = AT_FIRST) -> None:
        self.staffing = Staffing()
        self.last = Tick(at=0.0, cpu=0.0, put=0, taken=0, done=0, threads=threads)

    def tick(self, *, put: int = 0, taken: int = 0, done: int = 0, cpu: float = 0.1) -> int:
        """What happened in a tick, and what comes of it. `cpu`: the share of a core in use."""
        last = self.last
        now = replace(
            last,
            at=last.at + TICK_SECONDS,
            cpu=last.cpu + cpu * TICK_SECONDS,
            put=last.put + put,
            taken=last.taken + taken,
            done=last.done + done,
        )
        change = self.staffing.change(now)
        self.last = replace(now, threads=now.threads + change)
        return change

    @property
    def threads(self) -> int:
        return self.last.threads


def test_a_service_that_keeps_all_threads_waiting_gets_more_of_them() -> None:
    room = Room()
    room.tick(put=100, taken=AT_FIRST)
    for _ in range(200):
        room.tick()
    assert room.threads == AT_MOST


def test_a_burst_that_is_soon_cleared_gets_none() -> None:
    room = Room()
    room.tick(put=100)
    for _ in range(OVERDUE_TICKS - 1):
        room.tick(taken=16, done=16)
    assert room.threads == AT_FIRST


def test_more_threads_do_not_help_a_busy_processor() -> None:
    room = Room()
    for _ in range(100):
        room.tick(put=50, taken=40, done=40, cpu=0.98)
    assert room.threads == AT_FIRST


def test_what_is_put_and_taken_at_once_is_never_overdue() -> None:
    room = Room()
    for _ in range(100):
        room.tick(put=10, taken=10, done=10)
    assert room.threads == AT_FIRST


def test_threads_that_nobody_needed_lately_go_and_the_first_stay() -> None:
    room = Room(threads=200)
    room.tick(put=100, taken=100)
    assert room.threads == 100 + AT_FIRST
    room.tick(done=100)
    for _ in range(round(HALF_LIFE_SECONDS / TICK_SECONDS)):
        room.tick()
    assert 45 <= room.threads <= 55
    for _ in range(round(20 * HALF_LIFE_SECONDS / TICK_SECONDS)):
        room.tick()
    assert room.threads == AT_FIRST


def test_threads_at_a_service_that_hangs_are_not_taken_for_idle_ones() -> None:
    room = Room(threads=66)
    room.tick(put=64, taken=64)
    for _ in range(1000):
        room.tick(put=1, taken=1, done=1)
    assert room.threads == 64 + AT_FIRST


def test_threads_that_are_let_go_end() -> None:
    now = 0.0
    let_go, at_work = threading.Event(), threading.Semaphore(0)

    def work(_: DueJob) -> None:
        at_work.release()
        let_go.wait(PATIENCE_SECONDS)

    pollers = Pollers(work, monotonic=lambda: now, processor=lambda: 0.0)
    pollers.start()
    for number in range(AT_FIRST + 6):
        pollers.put(DueJob(str(number), "toy", NOON))
    while len(pollers) < AT_FIRST + 6:
        now += TICK_SECONDS
        pollers.staff()
    for _ in range(AT_FIRST + 6):
        assert at_work.acquire(timeout=PATIENCE_SECONDS)
    let_go.set()
    threads = pollers.threads
    while len(pollers) > AT_FIRST:
        now += 100 * HALF_LIFE_SECONDS
        pollers.staff()
    pollers.stop()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert len(threads) == AT_FIRST + 6
    assert not any(thread.is_alive() for thread in threads)
