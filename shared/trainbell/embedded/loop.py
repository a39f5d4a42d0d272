"""Drives all jobs of one process: looks at those that are due, tells what happened, runs schedules.

What is due stands in the store, not in memory; so a restart resumes everything, and ten thousand
jobs cost no more memory than ten.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import TypeVar

from trainbell.domain.job import Job
from trainbell.embedded.clock_steps import ClockSteps, mend_times
from trainbell.embedded.pollers import Pollers
from trainbell.embedded.schedule_clock import run_due_schedules
from trainbell.embedded.shares import AT_MOST, Shares
from trainbell.errors import NotFound, RecordUnreadable, StoreError
from trainbell.ports import DueJob
from trainbell.use_cases.care.retain import FORGOTTEN_PER_RUN, forget_expired_jobs
from trainbell.use_cases.ground.services import Services, log
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.early_look import early_look
from trainbell.use_cases.jobs.resume_starts import resume_starts
from trainbell.use_cases.telling.publish_changes import publish_changes

T = TypeVar("T")

TICK_SECONDS = 0.03
IDLE_SECONDS = 30.0
PUBLISH_TICK_SECONDS = 0.25
PURGE_EVERY = timedelta(hours=1)
AFTER_TROUBLE = timedelta(seconds=5)


class EarlyLook(Enum):
    """What came of a sign: an order to look; no room, or somebody is looking, perhaps at how it
    was before; or nothing is left to see."""

    HANDED_OUT = "handed_out"
    LATER = "later"
    OVER = "over"


class LoopWatchers:
    """`ports.Watchers` of one process: the loop watches every job, so it need only look up."""

    def __init__(self) -> None:
        self.woken = threading.Event()

    def watch(self, job: Job) -> None:  # noqa: ARG002 - the store says which job is due
        self.woken.set()


class Loop:
    """A dispatcher thread, one that tells, one for schedules and housekeeping, so that a slow
    receiver holds up neither, and as many polling threads as are needed.

    `start` returns at once; `stop` lets what is in flight end, for at most `timeout` seconds.
    """

    def __init__(self, services: Services, watchers: LoopWatchers) -> None:
        self._services = services
        self._woken = watchers.woken
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._in_flight: set[str] = set()
        self._shares = Shares()
        self._not_before: dict[str, tuple[datetime, str]] = {}
        """By job: until when it is left alone, and its connection."""
        self._purged_at: datetime | None = None
        self._clock_steps = ClockSteps()
        self._sleeps_until = 0.0
        self._dispatcher = _thread(self._dispatch, "dispatch")
        self._teller = _thread(partial(self._repeat, self._tell_due), "tell")
        self._scheduler = _thread(partial(self._repeat, self._run_schedules), "schedules")
        self._pollers = Pollers(self._look_at)

    @property
    def polling_threads(self) -> int:
        return len(self._pollers)

    def start(self) -> None:
        self._services.store.readmit()
        mend_times(self._services)
        resume_starts(self._services)
        self._pollers.start()
        self._dispatcher.start()
        self._teller.start()
        self._scheduler.start()

    def stop(self, timeout: float = 5.0) -> bool:
        """Whether every thread ended in time. What was cut off is resumed at the next start."""
        self._stopping.set()
        self._woken.set()
        deadline = time.monotonic() + timeout
        # First, because it may be about to add a poller.
        self._dispatcher.join(timeout)
        self._pollers.stop()
        threads = [self._dispatcher, self._teller, self._scheduler, *self._pollers.threads]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _dispatch(self) -> None:
        while not self._stopping.is_set():
            self._sleeps_until = math.inf
            wait = self._guarded(self._dispatch_due, otherwise=AFTER_TROUBLE.total_seconds())
            # A new job, or one that is due sooner than was known, wakes it up; the tick keeps a
            # busy loop from asking the store all the time, and lets polls share a wake-up.
            self._sleeps_until = time.monotonic() + wait
            self._stopping.wait(TICK_SECONDS)
            self._woken.wait(max(0.0, wait - TICK_SECONDS))
            self._woken.clear()

    def _dispatch_due(self) -> float:
        """Hand out what is due. Seconds until there may be more."""
        now = self._services.clock.now()
        if self._clock_steps.was_put_back(now):
            self._mend_times()
        self._pollers.staff()
        with self._lock:
            if self._shares.room <= 0:
                return 0.0
            self._not_before = {k: to for k, to in self._not_before.items() if to[0] > now}
            # What is under way is still due in the store until it is recorded.
            known = len(self._not_before) + len(self._in_flight)
            left_alone = Counter(connection for _, connection in self._not_before.values())

        def most(connection: str) -> int:
            """No more than can be handed out: else the line of one that hangs hides all others."""
            with self._lock:
                return self._shares.most(connection) + left_alone[connection]

        due = self._services.store.due(now, AT_MOST + known, per_connection=most)
        for each in due:
            self._hand_out(each)
        if len(due) >= AT_MOST + known:
            return 0.0
        next_due = self._services.store.next_due_at()
        if next_due is None:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, max(0.0, (next_due - now).total_seconds()))

    def _mend_times(self) -> None:
        with self._lock:
            self._not_before.clear()
        try:
            mend_times(self._services)
        except StoreError:  # what can be looked at is looked at meanwhile
            log.exception("what a clock ahead has written is not mended; trying again soon")
        else:
            self._clock_steps.mended()

    def look_early(self, job_id: str) -> EarlyLook:
        """A sign that this job has changed: look at it now, whenever it is due."""
        due = early_look(self._services, job_id)
        if due is None:
            return EarlyLook.OVER
        return EarlyLook.HANDED_OUT if self._hand_out(due) else EarlyLook.LATER

    def _hand_out(self, due: DueJob) -> bool:
        with self._lock:
            if due.id in self._in_flight or due.id in self._not_before:
                return False
            if not self._shares.take(due.connection):
                return False
            self._in_flight.add(due.id)
        self._pollers.put(due)
        return True

    def _look_at(self, due: DueJob) -> None:
        trouble, began_at = False, time.monotonic()
        try:
            if not self._stopping.is_set():
                self._look(due.id)
        except NotFound:
            pass  # Deleted while it was due.
        except RecordUnreadable:
            trouble = True  # The store has set it aside and said so, or will at the next look.
        except Exception:  # one job's trouble must not stop the others
            log.exception("job %s could not be looked at; trying again soon", due.id)
            trouble = True
        with self._lock:
            self._in_flight.discard(due.id)
            self._shares.give_back(due.connection, time.monotonic() - began_at)
            if trouble:
                until = self._services.clock.now() + AFTER_TROUBLE
                self._not_before[due.id] = until, due.connection

    def _look(self, job_id: str) -> None:
        wait = advance_job(self._services, job_id).wait_seconds
        if wait is not None and time.monotonic() + wait < self._sleeps_until:
            self._woken.set()

    def _repeat(self, work: Callable[[], bool]) -> None:
        while not self._stopping.is_set():
            if not self._guarded(work, otherwise=False):
                self._stopping.wait(PUBLISH_TICK_SECONDS)

    def _tell_due(self) -> bool:
        """Whether there is more to tell at once."""
        now = self._services.clock.now()
        due = self._services.store.next_outbox_due_at()
        if due is None or due > now:
            return False
        return publish_changes(self._services).more_due

    def _run_schedules(self) -> bool:
        """Schedules, and what is done by the hour. There is never more at once."""
        run_due_schedules(self._services)
        now = self._services.clock.now()
        if self._purged_at is None or now - self._purged_at >= PURGE_EVERY:
            self._services.store.purge_expired(now)
            self._services.store.readmit()
            forgotten = forget_expired_jobs(self._services)
            # Where there is more to forget, it is not left for the next hour.
            self._purged_at = now if forgotten < FORGOTTEN_PER_RUN else None
        return False

    def _guarded(self, work: Callable[[], T], otherwise: T) -> T:
        try:
            return work()
        except Exception:  # the store may be full or locked; the loop outlives that
            log.exception("the loop could not do its work; trying again soon")
            return otherwise


def _thread(work: Callable[[], None], name: str) -> threading.Thread:
    return threading.Thread(target=work, name=f"trainbell-{name}", daemon=True)
