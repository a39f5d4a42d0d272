"""The polling policy: bounds, jitter, hints, deadlines, history and progress."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOON, a_running_job, changed
from trainbell.domain.durations import DurationHistory, bin_of
from trainbell.domain.failure import FailureKind
from trainbell.domain.job import Job, State
from trainbell.domain.polling import Pace, next_wait_seconds, retry_wait_seconds
from trainbell.domain.progress import forecast_end, trail_of

QUICK = settings(max_examples=150, deadline=None, derandomize=True)
HOUR = 3600.0


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_job_at(progress: float, *, of: float, steps: int = 8) -> Job:
    """A running job whose whole duration is `of` seconds, and that tells its progress evenly."""
    trail = tuple(
        (after(of * progress * i / steps), progress * i / steps) for i in range(1, steps + 1)
    )
    return a_running_job(progress=progress, progress_trail=trail)


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    low = draw(st.floats(1, 600))
    pairs = draw(st.lists(st.tuples(st.floats(0.1, 1e6), st.floats(0, 1)), max_size=8))
    times, told = sorted({t for t, _ in pairs}), sorted({p for _, p in pairs})
    return a_running_job(
        state=draw(st.sampled_from([State.QUEUED, State.RUNNING, State.CANCELLING])),
        min_interval_seconds=low,
        max_interval_seconds=low * draw(st.floats(1, 100)),
        started_at=draw(st.sampled_from([None, NOON, after(100)])),
        queue_position=draw(st.none() | st.integers(0, 10**6)),
        cancel_requested_at=draw(st.none() | st.just(NOON)),
        progress_trail=tuple((after(t), p) for t, p in zip(times, told, strict=False)),
        failed_polls_in_a_row=draw(st.integers(0, 5000)),
    )


paces = st.builds(
    Pace,
    st.builds(
        DurationHistory,
        st.lists(st.dictionaries(st.integers(0, 91), st.integers(1, 10**6)), max_size=2).map(tuple),
    ),
    st.floats(0, 1, exclude_max=True),
)


@QUICK
@given(jobs(), paces, st.floats(-1e4, 1e7))
def test_a_wait_keeps_the_bounds_of_the_job_jitter_included(
    job: Job, pace: Pace, age: float
) -> None:
    wait = next_wait_seconds(job, after(age), pace)
    assert job.order.min_interval_seconds <= wait <= job.order.max_interval_seconds


@QUICK
@given(jobs(), paces, st.sampled_from(FailureKind))
def test_a_retry_keeps_the_bounds_of_the_job(job: Job, pace: Pace, kind: FailureKind) -> None:
    wait = retry_wait_seconds(job, pace, kind, None)
    assert job.order.min_interval_seconds <= wait <= job.order.max_interval_seconds


@QUICK
@given(jobs(), paces, st.floats(0, 1e7), st.floats(0.001, 1e6))
def test_a_deadline_is_never_overslept(job: Job, pace: Pace, age: float, left: float) -> None:
    now = after(age)
    deadline = now + timedelta(seconds=left)
    job = changed(job, deadline_at=deadline)
    assert now + timedelta(seconds=next_wait_seconds(job, now, pace)) <= deadline
    for kind in FailureKind:
        wait = retry_wait_seconds(job, pace, kind, None, now=now)
        assert now + timedelta(seconds=wait) <= deadline


@QUICK
@given(jobs(), paces, st.floats(0.1, 1e9))
def test_a_retry_after_is_waited_for_up_to_an_hour(job: Job, pace: Pace, asked: float) -> None:
    for wait in (
        next_wait_seconds(job, after(60), pace, retry_after_seconds=asked),
        retry_wait_seconds(job, pace, FailureKind.THROTTLED, asked),
    ):
        assert wait >= min(asked, HOUR)
        assert wait <= max(1.1 * HOUR, job.order.max_interval_seconds)


def test_a_thousand_jobs_do_not_poll_together() -> None:
    job, now = a_running_job(), after(HOUR)
    waits = {next_wait_seconds(job, now, Pace(chance=i / 1000)) for i in range(1000)}
    assert len(waits) == 1000
    assert max(waits) / min(waits) == pytest.approx(1.1 / 0.9, rel=0.01)


def test_the_jitter_spreads_the_longest_wait_too() -> None:
    job, now = a_running_job(), after(90 * 24 * HOUR)
    waits = {next_wait_seconds(job, now, Pace(chance=i / 10)) for i in range(10)}
    assert len(waits) == 10


def test_the_wait_grows_with_the_age_of_a_job_of_which_nothing_is_known() -> None:
    waits = [next_wait_seconds(a_running_job(), after(age), Pace()) for age in (600, 6e3, 6e4, 6e5)]
    assert waits == sorted(waits)
    assert waits[0] < 40
    assert waits[-1] > 300


def test_looks_are_dense_where_earlier_jobs_ended_and_thin_before() -> None:
    history = DurationHistory(({bin_of(2 * HOUR): 500},))
    job = a_running_job()
    early = next_wait_seconds(job, after(HOUR / 2), Pace(history))
    due = next_wait_seconds(job, after(2 * HOUR), Pace(history))
    assert due < 60
    assert early > 120


def test_a_wait_does_not_reach_over_the_time_at_which_earlier_jobs_ended() -> None:
    history = DurationHistory(({bin_of(2 * HOUR): 100_000},))
    age, looks = 0.0, []
    job = a_running_job(max_interval_seconds=100 * HOUR)
    while age < 3 * HOUR:
        age += next_wait_seconds(job, after(age), Pace(history))
        looks.append(age)
    assert sum(1.6 * HOUR < look < 2.6 * HOUR for look in looks) > 20


def test_without_a_start_time_the_age_counts_from_the_request() -> None:
    known, unknown = a_running_job(started_at=NOON), a_running_job(started_at=None)
    assert next_wait_seconds(known, after(HOUR), Pace()) == next_wait_seconds(
        unknown, after(HOUR), Pace()
    )


def test_progress_is_watched_closely_near_the_foretold_end_and_loosely_before() -> None:
    silent = next_wait_seconds(a_running_job(), after(5 * HOUR), Pace())
    middle = next_wait_seconds(a_job_at(0.5, of=10 * HOUR), after(5 * HOUR), Pace())
    silent_near = next_wait_seconds(a_running_job(), after(9.99 * HOUR), Pace())
    near = next_wait_seconds(a_job_at(0.999, of=10 * HOUR), after(9.99 * HOUR), Pace())
    assert silent < middle
    assert near < silent_near / 3


@QUICK
@given(st.floats(0.01, 1), st.floats(60, 1e6), st.floats(0, 1e5), st.integers(2, 8))
def test_no_forecast_puts_off_a_look_by_more_than_twice_the_usual_wait(
    progress: float, whole: float, silent: float, steps: int
) -> None:
    now = after(whole * progress + silent)
    told = a_job_at(progress, of=whole, steps=steps)
    usual = next_wait_seconds(a_running_job(), now, Pace())
    assert next_wait_seconds(told, now, Pace()) <= 2 * usual


def test_progress_that_stands_still_loses_its_say() -> None:
    job = a_job_at(0.2, of=100 * HOUR)
    usual = next_wait_seconds(a_running_job(), after(70 * HOUR), Pace())
    stalled = next_wait_seconds(job, after(70 * HOUR), Pace())
    fresh = next_wait_seconds(job, after(20 * HOUR), Pace())
    fresh_usual = next_wait_seconds(a_running_job(), after(20 * HOUR), Pace())
    assert fresh / fresh_usual > 1.5
    assert stalled / usual < 1.1


def test_an_overdue_job_is_watched_closely_at_first_and_then_less() -> None:
    job = a_job_at(1.0, of=10 * HOUR)
    waits = [
        next_wait_seconds(job, after(10 * HOUR + late), Pace()) for late in (10, 600, 30 * HOUR)
    ]
    usual = next_wait_seconds(a_running_job(), after(40 * HOUR), Pace())
    assert waits[0] < 10 < waits[1] < 60
    assert 300 < waits[2] <= usual


def test_a_cancel_is_watched_closely() -> None:
    job = a_running_job(
        state=State.CANCELLING, cancel_requested_at=after(50 * HOUR), started_at=NOON
    )
    assert next_wait_seconds(job, after(50 * HOUR + 10), Pace()) < 7
    assert next_wait_seconds(job, after(90 * HOUR), Pace()) <= 66


def test_a_place_far_back_in_the_queue_is_asked_for_less_often() -> None:
    front, back = (
        a_running_job(state=State.QUEUED, queue_position=position) for position in (1, 9)
    )
    now = after(HOUR)
    assert next_wait_seconds(back, now, Pace()) == pytest.approx(
        3 * next_wait_seconds(front, now, Pace())
    )


def test_retries_double_up_to_the_longest_interval() -> None:
    waits = [
        retry_wait_seconds(
            a_running_job(failed_polls_in_a_row=n), Pace(), FailureKind.UNAVAILABLE, None
        )
        for n in range(1, 12)
    ]
    assert waits[1:4] == pytest.approx([10, 20, 40])
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(900, rel=0.1)


def test_a_refused_key_waits_for_a_person() -> None:
    job = a_running_job(failed_polls_in_a_row=1)
    assert retry_wait_seconds(job, Pace(), FailureKind.AUTH, None) == pytest.approx(900, rel=0.1)


def test_progress_counts_from_the_start_so_one_report_is_enough() -> None:
    job = a_running_job(
        started_at=NOON,
        progress=0.8,
        progress_trail=((NOON + timedelta(seconds=80), 0.8),),
    )
    now = NOON + timedelta(seconds=80)
    assert next_wait_seconds(job, now, Pace()) < next_wait_seconds(
        changed(job, progress_trail=()), now, Pace()
    )
    forecast = forecast_end(trail_of(job), now)
    assert forecast is not None
    assert forecast.earliest_seconds < 20 < forecast.latest_seconds
