"""When schedules are due: in order, on the fields, in the zone, through both clock changes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainbell.domain.cron_fields import CronFields
from trainbell.domain.schedule_times import (
    Cron,
    Timing,
    latest_due,
    next_due,
    parse_expression,
    to_aws_expression,
)

BERLIN = "Europe/Berlin"
CREATED = datetime(2026, 1, 5, 9, 30, 20, 123456, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def following(expression: str, after: str, zone: str = "UTC", *, count: int = 3) -> list[str]:
    """The next due times as the zone's wall clock shows them."""
    timing = parse_expression(expression, zone)
    times = []
    moment: datetime | None = utc(after)
    for _ in range(count):
        assert moment is not None
        moment = next_due(timing, moment, CREATED)
        assert moment is not None
        times.append(f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M%z}")
    return times


# ---------------------------------------------------------------- the clock changes


def test_a_time_that_spring_skips_does_not_happen_that_day() -> None:
    # 29 March 2026: Berlin's clocks go from 02:00 to 03:00.
    assert following("cron(30 2 * * *)", "2026-03-27T12:00", BERLIN) == [
        "2026-03-28 02:30+0100",
        "2026-03-30 02:30+0200",
        "2026-03-31 02:30+0200",
    ]


def test_a_time_that_autumn_repeats_happens_once_at_its_first_passing() -> None:
    # 25 October 2026: Berlin's clocks go from 03:00 back to 02:00.
    assert following("cron(30 2 * * *)", "2026-10-24T12:00", BERLIN) == [
        "2026-10-25 02:30+0200",
        "2026-10-26 02:30+0100",
        "2026-10-27 02:30+0100",
    ]


def test_in_the_repeated_hour_nothing_is_due() -> None:
    in_second_passing = "2026-10-25T01:10"
    assert following("cron(*/30 * * * *)", in_second_passing, BERLIN, count=2) == [
        "2026-10-25 03:00+0100",
        "2026-10-25 03:30+0100",
    ]
    timing = parse_expression("cron(50 2 * * *)", BERLIN)
    assert latest_due(timing, utc(in_second_passing), CREATED) == utc("2026-10-25T00:50")


def test_a_rate_counts_elapsed_time_through_a_clock_change() -> None:
    timing = parse_expression("rate(1 day)", BERLIN)
    before, after = utc("2026-03-28T09:30:20"), utc("2026-03-29T09:30:20")
    assert next_due(timing, before, CREATED) == after


# ---------------------------------------------------------------- rates


def test_a_rate_keeps_its_beat_whenever_it_is_asked() -> None:
    timing = parse_expression("rate(90 minutes)")
    beat = CREATED.replace(microsecond=0)
    assert next_due(timing, CREATED - timedelta(days=1), CREATED) == beat + timedelta(minutes=90)
    assert next_due(timing, CREATED, CREATED) == beat + timedelta(minutes=90)
    assert next_due(timing, beat + timedelta(minutes=90), CREATED) == beat + timedelta(minutes=180)
    assert latest_due(timing, CREATED, CREATED) is None


@given(st.integers(1, 100_000), st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_every_due_time_of_a_rate_is_a_whole_number_of_beats(minutes: int, age: timedelta) -> None:
    timing = parse_expression(f"rate({minutes} minutes)")
    due = next_due(timing, CREATED + age, CREATED)
    assert due is not None
    assert CREATED + age < due <= CREATED + age + timedelta(minutes=minutes)
    assert (due - CREATED.replace(microsecond=0)) % timedelta(minutes=minutes) == timedelta(0)


# ---------------------------------------------------------------- cron in general


def fields(first: int, last: int) -> st.SearchStrategy[str]:
    number = st.integers(first, last)
    span = st.tuples(number, number).map(sorted)
    term = st.one_of(
        st.just("*"),
        st.integers(1, last).map(lambda step: f"*/{step}"),
        number.map(str),
        span.map(lambda ends: f"{ends[0]}-{ends[1]}"),
        st.tuples(span, st.integers(1, 9)).map(lambda p: f"{p[0][0]}-{p[0][1]}/{p[1]}"),
    )
    return st.lists(term, min_size=1, max_size=3).map(",".join)


DAYS = st.one_of(
    st.just(("*", "*")),
    # Up to 28, so that it happens in every month.
    fields(1, 28).map(lambda day: (day, "*")),
    fields(0, 7).map(lambda weekday: ("*", weekday)),
)
EXPRESSIONS = st.builds(
    lambda minute, hour, days, month: f"cron({minute} {hour} {days[0]} {month} {days[1]})",
    fields(0, 59),
    fields(0, 23),
    DAYS,
    fields(1, 12),
)
ZONES = st.sampled_from(
    ["UTC", BERLIN, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca"]
)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=15 * 365)).map(
    lambda age: utc("2020-01-01T00:00") + age
)


def agrees(fields: CronFields, wall: datetime) -> bool:
    return (
        wall.second == wall.microsecond == 0
        and wall.minute in fields.minutes
        and wall.hour in fields.hours
        and wall.day in fields.days
        and wall.month in fields.months
        and (wall.weekday() + 1) % 7 in fields.weekdays
    )


@given(EXPRESSIONS, ZONES, MOMENTS)
def test_due_times_increase_and_agree_with_every_field_on_the_wall_clock(
    expression: str, zone: str, start: datetime
) -> None:
    timing = parse_expression(expression, zone)
    assert isinstance(timing, Cron)
    moment = start
    for _ in range(3):
        due = next_due(timing, moment, CREATED)
        assert due is not None
        assert due > moment
        assert due.tzinfo is UTC
        assert agrees(timing.fields, due.astimezone(ZoneInfo(zone)))
        moment = due


@given(EXPRESSIONS, ZONES, MOMENTS)
def test_backwards_and_forwards_see_the_same_times(
    expression: str, zone: str, start: datetime
) -> None:
    timing = parse_expression(expression, zone)
    due = next_due(timing, start, CREATED)
    assert due is not None
    assert latest_due(timing, due, CREATED) == due
    before = latest_due(timing, due - timedelta(microseconds=1), CREATED)
    assert before is not None
    assert before <= start
    assert next_due(timing, before, CREATED) == due


@given(st.integers(0, 200), st.sampled_from(["3,9,27,51", "*/7", "0"]))
def test_no_minute_is_forgotten(offset: int, minutes: str) -> None:
    """Against the plainest way to find it: try minute after minute."""
    timing = parse_expression(f"cron({minutes} * * * *)")
    assert isinstance(timing, Cron)
    start = utc("2026-03-02T12:00") + timedelta(minutes=offset)
    tried = start + timedelta(minutes=1)
    while not agrees(timing.fields, tried):
        tried += timedelta(minutes=1)
    assert next_due(timing, start, CREATED) == tried


def test_the_day_before_leap_years_is_found_across_the_century() -> None:
    timing: Timing = parse_expression("cron(0 0 29 FEB *)")
    assert next_due(timing, utc("2096-03-01T00:00"), CREATED) == utc("2104-02-29T00:00")


def test_a_yearly_time_that_is_skipped_once_comes_a_year_later() -> None:
    # 25 March 2029 is a Sunday on which Berlin skips this hour.
    timing = parse_expression("cron(30 2 25 3 *)", BERLIN)
    assert next_due(timing, utc("2029-03-01T00:00"), CREATED) == utc("2030-03-25T01:30")


# ---------------------------------------------------------------- for EventBridge Scheduler


@pytest.mark.parametrize(
    ("ours", "aws"),
    [
        ("rate(1 minutes)", "rate(1 minute)"),
        ("rate(5 minutes)", "rate(5 minutes)"),
        ("rate(1 hour)", "rate(1 hour)"),
        ("rate( 2  days )", "rate(2 days)"),
        ("cron(0 9 * * 1-5)", "cron(0 9 ? * MON,TUE,WED,THU,FRI *)"),
        ("cron(0 9 * * mon-fri)", "cron(0 9 ? * MON,TUE,WED,THU,FRI *)"),
        ("cron(0 0 * * 0)", "cron(0 0 ? * SUN *)"),
        ("cron(0 0 * * 7)", "cron(0 0 ? * SUN *)"),
        ("cron(0 0 * * 5-7)", "cron(0 0 ? * SUN,FRI,SAT *)"),
        ("cron(*/20 * * * *)", "cron(0,20,40 * * * ? *)"),
        ("cron(0 8-18/5 1,15 jan,jul *)", "cron(0 8,13,18 1,15 1,7 ? *)"),
        ("cron(30 6 1-31 * *)", "cron(30 6 * * ? *)"),
    ],
)
def test_the_form_for_aws(ours: str, aws: str) -> None:
    assert to_aws_expression(ours) == aws


@given(EXPRESSIONS)
def test_the_form_for_aws_fits_its_256_characters(expression: str) -> None:
    assert len(to_aws_expression(expression)) <= 256


def test_once_is_due_once_in_its_zone() -> None:
    once = parse_expression("at(2026-07-01T09:00:00)", "Europe/Berlin")
    due = datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert next_due(once, due - timedelta(seconds=1), due) == due
    assert next_due(once, due, due) is None
    assert latest_due(once, due - timedelta(seconds=1), due) is None
    assert latest_due(once, due, due) == due
    assert to_aws_expression("at(2026-07-01T09:00:00)") == "at(2026-07-01T09:00:00)"


def test_a_moment_that_the_clocks_skip_is_refused() -> None:
    with pytest.raises(ValueError, match="the clocks skip it"):
        parse_expression("at(2026-03-29T02:30:00)", "Europe/Berlin")


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "must be rate"),
        ("every day", "must be rate"),
        ("rate(5)", "must be rate"),
        ("rate(0 minutes)", "from 1 minute"),
        ("rate(367 days)", "to 366 days"),
        ("rate(5 seconds)", "must be rate"),
        ("at(tomorrow)", "must be rate"),
        ("at(2026-12-01T09:00:00Z)", "must be rate"),
        ("at(2026-02-30T09:00:00)", "day is out of range"),
        ("rate(\u0665 minutes)", "must be rate"),
        ("cron(0 9 * *)", "five fields"),
        ("cron(0 9 * * ? *)", "five fields"),
        ("cron(60 * * * *)", "minute: must be 0 to 59"),
        ("cron(0 24 * * *)", "hour: must be 0 to 23"),
        ("cron(0 0 0 * *)", "day of month: must be 1 to 31"),
        ("cron(0 0 * 13 *)", "month: must be 1 to 12"),
        ("cron(0 0 * * 8)", "day of week: must be 0 to 7"),
        ("cron(0 0 * * FRI-MON)", "goes backwards"),
        ("cron(*/0 * * * *)", "a step must be 1 or more"),
        ("cron(5/10 * * * *)", "write a range"),
        ("cron(0 0 L * *)", "day of month"),
        ("cron(0 0 * * 5#2)", "only numbers, names"),
        ("cron(0 0 ? * 1)", "only numbers, names"),
        ("cron(0 0 1 * 1)", "not both"),
        ("cron(0 0 30 2 *)", "never happens"),
        ("cron(0 0 31 4,6,9,11 *)", "never happens"),
        ("cron(" + "1," * 200 + "1 * * * *)", "at most 256"),
    ],
)
def test_refused_with_a_sentence_for_its_writer(expression: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_expression(expression)


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../../etc/passwd", "", "europe\x00berlin", "Europe"]
)
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="IANA time zone"):
        parse_expression("cron(0 9 * * *)", zone)
