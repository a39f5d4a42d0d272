"""The clock of schedules in one process: which are due, and running them.

The next due time stands in the schedule's record, so a restart changes nothing. Due times that
passed while nobody was up: the latest is run once, the earlier ones are skipped, and the schedule
says so. (EventBridge Scheduler, the cloud's clock, is always up and has none to miss.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trainbell.domain.schedule_times import latest_due_of, next_due_of
from trainbell.domain.settings import Schedule
from trainbell.errors import StoreError
from trainbell.use_cases.ground.changing import change_setting
from trainbell.use_cases.ground.services import Services, log
from trainbell.use_cases.schedules.run_schedule import run_schedule

AFTER_TROUBLE = timedelta(seconds=5)


class EmbeddedScheduler:
    """`ports.Scheduler` of one process. The record is the clock; a change need only wake the loop.

    `wake` is called after each change, and must return at once.
    """

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        self._wake = wake

    def put(self, schedule: Schedule) -> None:  # noqa: ARG002 - its next_due_at is stored with it
        self._wake()

    def delete(self, name: str) -> None:  # noqa: ARG002 - a schedule that is gone is never due
        self._wake()


@dataclass(frozen=True, slots=True)
class DueSchedule:
    """`missed_since`: the first of the due times before `due_at` that were not run."""

    name: str
    due_at: datetime
    missed_since: datetime | None = None


def due_schedules(services: Services, now: datetime) -> Sequence[DueSchedule]:
    """Enabled schedules whose due time has come, the longest overdue first."""
    due = [
        (schedule.next_due_at, _due(schedule, schedule.next_due_at, now))
        for schedule in _enabled(services)
        if schedule.next_due_at is not None and schedule.next_due_at <= now
    ]
    return [each for _, each in sorted(due, key=lambda pair: pair[0])]


def run_due_schedules(services: Services) -> datetime | None:
    """Run what is due, each schedule by itself: the trouble of one never stops the others.

    Returns when to look again: the next due time, or soon where a run could not be stored. None
    where no schedule is enabled; then the scheduler's `wake` says that there is one.
    """
    troubled = False
    for due in due_schedules(services, services.clock.now()):
        try:
            run_schedule(services, due.name, due.due_at, missed_since=due.missed_since)
        except StoreError as exc:
            log.warning("schedule %s could not be run now: %s", due.name, exc)
            troubled = True
        except Exception as exc:
            log.exception("schedule %s broke", due.name)
            _skip(services, due, f"broke: {type(exc).__name__}, see the log")
    next_due = [s.next_due_at for s in _enabled(services) if s.next_due_at is not None]
    if troubled:
        next_due = [at for at in next_due if at > services.clock.now()]
        next_due.append(services.clock.now() + AFTER_TROUBLE)
    return min(next_due, default=None)


def _due(schedule: Schedule, first: datetime, now: datetime) -> DueSchedule:
    latest = latest_due_of(schedule, now)
    if latest is None or latest <= first:
        return DueSchedule(schedule.name, first)
    return DueSchedule(schedule.name, latest, missed_since=first)


def _skip(services: Services, due: DueSchedule, error: str) -> None:
    # A fault of ours would come up again at once, and for ever; the next due time is soon enough.
    def skipped(stored: Schedule | None) -> Schedule | None:
        if stored is None:
            return None
        next_due_at = next_due_of(stored, services.clock.now())
        return replace(stored, last_due_at=due.due_at, last_error=error, next_due_at=next_due_at)

    change_setting(services, Schedule, due.name, skipped)


def _enabled(services: Services) -> Iterator[Schedule]:
    cursor = None
    while True:
        page = services.store.list_config(Schedule, cursor=cursor)
        yield from (schedule for schedule in page.items if schedule.enabled)
        cursor = page.next_cursor
        if cursor is None:
            return
