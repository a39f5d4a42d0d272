"""The five fields of a cron expression as sets of numbers, and back as text for each engine.

Every engine has its own dialect (steps, Sunday as 0, 1 or 7, `L`, `#`). Here only what all share
is read, and each engine gets plain numbers, ranges and names: nothing is left to interpretation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MONTHS = (
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN"),
    *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS_AT_MOST = max(_LONGEST_MONTH)
_FIVE_FIELDS = "cron takes five fields: minute hour day-of-month month day-of-week"
_TERM = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/([0-9]{1,2}))?")


@dataclass(frozen=True, slots=True)
class _Field:
    title: str
    first: int
    last: int
    names: tuple[str, ...] = ()

    def number(self, text: str) -> int:
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.first
        if not re.fullmatch(r"[0-9]{1,2}", text) or not self.first <= int(text) <= self.last:
            raise ValueError(f"{self.title}: must be {self.first} to {self.last}, or *")
        return int(text)


_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day of month", 1, 31)
_MONTH = _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("day of week", 0, 7, _DAYS)


@dataclass(frozen=True, slots=True)
class CronFields:
    """Sets of numbers; weekdays count from Sunday as 0. At most one kind of day is restricted."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @property
    def any_day(self) -> bool:
        return len(self.days) == _DAYS_AT_MOST

    @property
    def any_weekday(self) -> bool:
        return len(self.weekdays) == len(_DAYS)

    def for_cronsim(self) -> str:
        """Five fields: minute, hour, day of month, month, day of week."""
        return " ".join(
            [
                _text(self.minutes, 60),
                _text(self.hours, 24),
                _text(self.days, _DAYS_AT_MOST),
                _text(self.months, 12),
                _text(self.weekdays, 7),
            ]
        )

    def for_aws(self) -> str:
        """Six fields, with the year last; `?` in one of the day fields, as EventBridge wants it."""
        weekdays = ",".join(_DAYS[number] for number in sorted(self.weekdays))
        day, weekday = (
            (_text(self.days, _DAYS_AT_MOST), "?") if self.any_weekday else ("?", weekdays)
        )
        times = f"{_text(self.minutes, 60)} {_text(self.hours, 24)}"
        return f"{times} {day} {_text(self.months, 12)} {weekday} *"


def parse_cron_fields(text: str) -> CronFields:
    """Read `minute hour day-of-month month day-of-week`: numbers, names, `*`, `,`, `-` and `/`.

    Raises:
        ValueError: with a sentence for the person who wrote it.
    """
    parts = text.split()
    try:
        minute, hour, day, month, weekday = parts
    except ValueError:
        raise ValueError(_FIVE_FIELDS) from None
    fields = CronFields(
        minutes=_parse(_MINUTE, minute),
        hours=_parse(_HOUR, hour),
        days=_parse(_DAY, day),
        months=_parse(_MONTH, month),
        # 7 is Sunday, too.
        weekdays=frozenset(number % 7 for number in _parse(_WEEKDAY, weekday)),
    )
    if not fields.any_day and not fields.any_weekday:
        raise ValueError(
            "restrict the day of the month or the day of the week, not both: engines differ in "
            "what that means; use two schedules"
        )
    if min(fields.days) > max(_LONGEST_MONTH[number - 1] for number in fields.months):
        names = ", ".join(_MONTHS[number - 1] for number in sorted(fields.months))
        raise ValueError(f"never happens: there is no day {min(fields.days)} in {names}")
    return fields


def _parse(field: _Field, text: str) -> frozenset[int]:
    numbers: set[int] = set()
    for term in text.split(","):
        numbers.update(_parse_term(field, term))
    return frozenset(numbers)


def _parse_term(field: _Field, term: str) -> range:
    match = _TERM.fullmatch(term)
    if match is None or (match[1] == "*" and match[2]):
        raise ValueError(f"{field.title}: only numbers, names, *, comma, hyphen and / are read")
    first_text, last_text, step_text = match.groups()
    step = int(step_text or 1)
    if step == 0:
        raise ValueError(f"{field.title}: a step must be 1 or more")
    if first_text == "*":
        # The weekday's 7 repeats 0; stepping over it would make an eighth day.
        return range(field.first, 7 if field is _WEEKDAY else field.last + 1, step)
    first = field.number(first_text)
    last = field.number(last_text) if last_text else first
    if step_text and not last_text:
        raise ValueError(f"{field.title}: write a range before /, such as {first}-{field.last}")
    if last < first:
        raise ValueError(f"{field.title}: {first_text}-{last_text} goes backwards")
    return range(first, last + 1, step)


def _text(numbers: frozenset[int], full: int) -> str:
    if len(numbers) == full:
        return "*"
    return ",".join(_runs(sorted(numbers)))


def _runs(numbers: list[int]) -> Iterator[str]:
    """Neighbours as ranges, so that the text stays short: 1, 2, 3, 7 become `1-3` and `7`."""
    start = previous = numbers[0]
    for number in [*numbers[1:], -1]:
        if number != previous + 1:
            yield str(start) if start == previous else f"{start}-{previous}"
            start = number
        previous = number
