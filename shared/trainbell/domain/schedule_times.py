"""When a schedule is due, the same in both engines.

`rate(5 minutes)`, `cron(0 9 * * MON-FRI)`, or once: `at(2026-12-01T09:00:00)`.

The cloud's clock is EventBridge Scheduler; the embedded one follows its rules, so that a schedule
keeps its times when it moves (docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html):

- Daylight saving: a cron time that the spring change skips does not happen that day; one that the
  autumn change repeats happens once, at its first passing. So `*/5 * * * *` pauses for the
  repeated hour; a rate, or UTC, does not.
- A rate counts elapsed time, whatever the clocks do: a day is 24 hours.
- Either the day of the month or the day of the week may be restricted. Cron proper would take
  both as "or", EventBridge has no form for it; it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from trainbell.domain.cron_fields import CronFields, parse_cron_fields
from trainbell.domain.settings import Schedule

EXPRESSION_LENGTH_AT_MOST = 256
RATE_AT_MOST = timedelta(days=366)
SEARCHED = timedelta(days=366 * 9)
"""How far ahead a cron time is looked for: 29 February is up to eight years away."""

_LONGEST_REPEATED = timedelta(hours=3)
_RATE = re.compile(r"rate\(\s*([0-9]{1,6})\s+(minute|hour|day)s?\s*\)")
_ONCE = re.compile(r"at\(([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\)")
_CRON = re.compile(r"cron\((.*)\)")
_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Rate:
    """Every `count` units of elapsed time after the anchor."""

    count: int
    unit: str

    @property
    def interval(self) -> timedelta:
        return self.count * _UNITS[self.unit]


@dataclass(frozen=True, slots=True)
class Cron:
    """Five classic fields, read in a time zone."""

    fields: CronFields
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Once:
    """One moment, in UTC."""

    at: datetime


Timing = Rate | Cron | Once


def parse_expression(expression: str, time_zone: str = "UTC") -> Timing:
    """Read an expression in its zone.

    Raises:
        ValueError: with a sentence for the person who wrote it.
    """
    if len(expression) > EXPRESSION_LENGTH_AT_MOST:
        raise ValueError(f"at most {EXPRESSION_LENGTH_AT_MOST} characters")
    rate = _RATE.fullmatch(expression.strip())
    if rate is not None:
        return _checked_rate(Rate(int(rate[1]), rate[2]))
    once = _ONCE.fullmatch(expression.strip())
    if once is not None:
        return Once(_moment(once[1], parse_time_zone(time_zone)))
    cron = _CRON.fullmatch(expression.strip())
    if cron is None:
        raise ValueError(
            "must be rate(N minutes|hours|days), cron(five fields) or at(2026-12-01T09:00:00)"
        )
    return Cron(parse_cron_fields(cron[1]), parse_time_zone(time_zone))


def parse_time_zone(name: str) -> ZoneInfo:
    """Raises ValueError for what is not a name of the IANA time zone database."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as exc:
        raise ValueError("must be an IANA time zone such as UTC or Europe/Berlin") from exc


def next_due(timing: Timing, after: datetime, anchor: datetime) -> datetime | None:
    """The first due time later than `after`, in UTC; None where there is none in nine years.

    `anchor`: what a rate counts from (the schedule's `created_at`), so a restart changes nothing.
    """
    if isinstance(timing, Rate):
        passed = max(0, _intervals(timing, after, anchor))
        return _whole_second(anchor) + (passed + 1) * timing.interval
    if isinstance(timing, Once):
        return timing.at if timing.at > after else None
    for due in _cron_times(timing, after):
        if due > after:
            return due
    return None


def latest_due(timing: Timing, at: datetime, anchor: datetime) -> datetime | None:
    """The last due time that is not later than `at`, in UTC; None where there was none yet."""
    if isinstance(timing, Rate):
        passed = _intervals(timing, at, anchor)
        return _whole_second(anchor) + passed * timing.interval if passed > 0 else None
    if isinstance(timing, Once):
        return timing.at if timing.at <= at else None
    for due in _cron_times(timing, at, backwards=True):
        if due <= at:
            return due
    return None


def next_due_of(schedule: Schedule, after: datetime) -> datetime | None:
    """The schedule's first due time later than `after`. Raises ValueError as `parse_expression`."""
    timing = parse_expression(schedule.expression, schedule.time_zone)
    return next_due(timing, after, schedule.created_at or after)


def latest_due_of(schedule: Schedule, at: datetime) -> datetime | None:
    """The schedule's last due time not later than `at`. Raises ValueError as above."""
    timing = parse_expression(schedule.expression, schedule.time_zone)
    return latest_due(timing, at, schedule.created_at or at)


def to_aws_expression(expression: str) -> str:
    """The same times as an expression of EventBridge Scheduler (six fields, `?`, day names).

    Raises ValueError as `parse_expression`.
    """
    timing = parse_expression(expression)
    if isinstance(timing, Rate):
        plural = "" if timing.count == 1 else "s"
        return f"rate({timing.count} {timing.unit}{plural})"
    if isinstance(timing, Once):
        return expression.strip()
    return f"cron({timing.fields.for_aws()})"


def _moment(text: str, zone: ZoneInfo) -> datetime:
    wall = datetime.fromisoformat(text)
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != wall:
        raise ValueError(f"{text} does not exist in {zone.key}: the clocks skip it")
    return moment


def _checked_rate(rate: Rate) -> Rate:
    if rate.count < 1 or rate.interval > RATE_AT_MOST:
        raise ValueError(f"a rate is from 1 minute to {RATE_AT_MOST.days} days")
    return rate


def _intervals(rate: Rate, until: datetime, anchor: datetime) -> int:
    return (until - _whole_second(anchor)) // rate.interval


def _whole_second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _cron_times(cron: Cron, around: datetime, *, backwards: bool = False) -> Iterator[datetime]:
    """Due times in order, from a little before `around` (after it, where backwards).

    The fields are matched against the wall clock without a zone; what the zone makes of each wall
    time comes second. That keeps skipped and repeated hours in one place: here.
    """
    wall = around.astimezone(cron.zone).replace(tzinfo=None, fold=0)
    start = wall + _LONGEST_REPEATED if backwards else wall - timedelta(seconds=1)
    for tick in CronSim(cron.fields.for_cronsim(), start, reverse=backwards):
        if abs(tick - wall) > SEARCHED:
            return
        due = tick.replace(tzinfo=cron.zone).astimezone(UTC)
        if due.astimezone(cron.zone).replace(tzinfo=None) == tick:
            yield due
