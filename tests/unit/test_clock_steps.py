"""An hour ahead, then corrected: what such a clock wrote binds nobody, a restart included."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import NOON, FakeClock, a_caller
from tests.dying_store import Killed
from tests.toy_service import ToyChannels, ToyService, a_trainbell
from trainbell.domain.job import Job, State
from trainbell.domain.settings import Schedule
from trainbell.embedded.clock_steps import ClockSteps, mend_times
from trainbell.errors import NotifyUnavailable, StartOutcomeUnknown, StoreUnavailable
from trainbell.ports import Notice, Store
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.cancel_job import cancel_job
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.schedules.configure_schedules import put_schedule
from trainbell.use_cases.schedules.run_schedule import run_schedule
from trainbell.use_cases.settings.configure_connections import put_connection
from trainbell.use_cases.telling.publish_changes import publish_changes

HOUR = 3600.0
BODY = {"provider": "toy"}


@pytest.mark.parametrize("moments", [[0, 1, 2], [0, 3600, 3601], [0, 1, 0.5]])
def test_a_clock_that_goes_on_was_not_put_back(moments: list[float]) -> None:
    ticks = iter(range(99))
    steps = ClockSteps(lambda: float(next(ticks)))
    assert not any(steps.was_put_back(NOON + timedelta(seconds=at)) for at in moments)


def test_a_clock_that_is_put_back_is_noticed_once() -> None:
    ticks = iter(range(99))
    steps = ClockSteps(lambda: float(next(ticks)))
    seen = [steps.was_put_back(NOON + timedelta(seconds=at)) for at in (0, 3601, 45)]
    steps.mended()
    seen.append(steps.was_put_back(NOON + timedelta(seconds=46)))
    assert seen == [False, False, True, False]


def test_what_could_not_be_mended_is_tried_again_after_a_while() -> None:
    ticks = iter(range(99))
    steps = ClockSteps(lambda: float(next(ticks)))
    seen = [steps.was_put_back(NOON + timedelta(seconds=at)) for at in (3600, *range(1, 13))]
    assert seen == [False, *([True] + [False] * 4) * 2, True, False]


def test_a_store_that_fails_at_one_job_keeps_no_other_from_being_mended(
    store: Store, service: ToyService, clock: FakeClock
) -> None:
    services = a_trainbell(store, service)
    clock.advance(24 * HOUR)
    first, second = (request_job(services, BODY, by=a_caller())[0] for _ in range(2))
    clock.advance(-24 * HOUR)
    get = store.get

    def failing(job_id: str) -> Job:
        if job_id == first.id:
            raise StoreUnavailable("not there just now")
        return get(job_id)

    services.store.get = failing  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        mend_times(services)
    services.store.get = get  # type: ignore[method-assign]
    assert [due.id for due in store.due(clock.now(), 9)] == [second.id]
    mend_times(services)
    assert {due.id for due in store.due(clock.now(), 9)} == {first.id, second.id}


def test_a_job_seen_by_a_clock_that_was_ahead_is_looked_at_now(
    store: Store, service: ToyService, clock: FakeClock
) -> None:
    services = a_trainbell(store, service)
    job, _ = request_job(services, BODY, by=a_caller())
    clock.advance(HOUR)
    advance_job(services, job.id)
    service.set_all("processing")
    clock.advance(10)
    advance_job(services, job.id)
    clock.advance(45 - HOUR - 10)
    mend_times(services)
    service.set_all("completed")
    assert [due.id for due in store.due(clock.now(), 9)] == [job.id]
    assert advance_job(services, job.id).job.state is State.SUCCEEDED


def test_a_confirmed_cancel_is_seen_though_the_job_was_seen_in_the_future(
    store: Store, service: ToyService, clock: FakeClock
) -> None:
    services = a_trainbell(store, service)
    job, _ = request_job(services, BODY, by=a_caller())
    clock.advance(HOUR)
    advance_job(services, job.id)
    service.set_all("processing")
    clock.advance(10)
    advance_job(services, job.id)
    clock.advance(45 - HOUR - 10)
    cancel_job(services, job.id, by=a_caller())
    service.set_all("stopped")
    clock.advance(5)
    assert advance_job(services, job.id).job.state is State.CANCELLED


def test_a_job_whose_start_was_sent_in_the_future_is_looked_up_within_its_lease(
    store: Store, service: ToyService, clock: FakeClock
) -> None:
    services = a_trainbell(store, service)
    job, _ = request_job(services, BODY, by=a_caller())

    def lose() -> None:
        raise RuntimeError("the answer is lost")

    service.after_start = lose
    clock.advance(HOUR)
    advance_job(services, job.id)
    clock.advance(45 - HOUR)
    mend_times(services)
    clock.advance(61)
    assert advance_job(services, job.id).job.handle == {"id": "t1"}
    assert len(service.trainings) == 1


def test_a_look_up_that_found_nothing_in_the_future_is_repeated_now(
    store: Store, service: ToyService, clock: FakeClock
) -> None:
    services = a_trainbell(store, service)
    job, _ = request_job(services, BODY, by=a_caller())

    def lose() -> None:
        raise StartOutcomeUnknown("the request is lost")

    service.before_start = lose
    advance_job(services, job.id)
    clock.advance(HOUR)
    advance_job(services, job.id)  # Finds nothing, which it notes nowhere but in its next look.
    clock.advance(45 - HOUR)
    mend_times(services)
    assert [due.id for due in store.due(clock.now(), 9)] == [job.id]


def test_a_start_that_may_be_in_flight_is_not_looked_at_before_its_lease_is_over(
    store: Store, service: ToyService, clock: FakeClock
) -> None:
    services = a_trainbell(store, service)
    job, _ = request_job(services, BODY, by=a_caller())

    def die() -> None:
        raise Killed

    service.before_start = die
    clock.advance(HOUR)
    with pytest.raises(Killed):
        advance_job(services, job.id)
    clock.advance(45 - HOUR)
    mend_times(services)
    assert store.due(clock.now(), 9) == []
    assert [due.id for due in store.due(clock.now() + timedelta(seconds=60), 9)] == [job.id]


def test_a_job_of_this_time_is_left_alone(
    store: Store, service: ToyService, clock: FakeClock
) -> None:
    services = a_trainbell(store, service)
    job, _ = request_job(services, BODY, by=a_caller())
    before = advance_job(services, job.id).job
    mend_times(services)
    assert store.get(job.id) == before


def test_what_was_tried_by_a_clock_that_was_ahead_is_told_now(
    store: Store, service: ToyService, clock: FakeClock
) -> None:
    channels = ToyChannels()
    services = a_trainbell(store, service, channels=channels)
    job, _ = request_job(services, BODY, by=a_caller())
    cancel_job(services, job.id, by=a_caller())

    def down(_: Notice) -> None:
        raise NotifyUnavailable("down", retry_after_seconds=600)

    channels.collector.on_send = down
    clock.advance(HOUR)
    publish_changes(services)
    channels.collector.on_send = lambda _: None
    clock.advance(45 - HOUR)
    assert publish_changes(services).delivered == 0
    mend_times(services)
    assert publish_changes(services).delivered == 1


def test_a_line_of_calls_that_begins_in_the_future_is_forgotten(
    store: Store, service: ToyService, clock: FakeClock
) -> None:
    services = a_trainbell(store, service)
    put_connection(services, "slow", {"provider": "toy", "calls_per_minute": 6})
    job, _ = request_job(services, {**BODY, "connection": "slow"}, by=a_caller())
    clock.advance(24 * HOUR)
    advance_job(services, job.id)
    clock.advance(45 - 24 * HOUR)
    assert store.reserve_call("slow", 6, clock.now()) > clock.now()
    mend_times(services)
    assert store.reserve_call("slow", 6, clock.now()) == clock.now()


def test_a_schedule_that_ran_in_the_future_runs_when_it_is_due(
    store: Store, service: ToyService, clock: FakeClock
) -> None:
    services = a_trainbell(store, service)
    put_schedule(services, "often", {"expression": "rate(5 minutes)", "job": BODY})
    clock.advance(HOUR)
    run_schedule(services, "often", NOON + timedelta(seconds=HOUR))
    clock.advance(45 - HOUR)
    mend_times(services)
    schedule = store.get_config(Schedule, "often")
    assert schedule is not None
    assert schedule.next_due_at == NOON + timedelta(minutes=5)
    clock.advance(255)
    assert run_schedule(services, "often", NOON + timedelta(minutes=5)) is not None
    again = run_schedule(services, "often", NOON + timedelta(seconds=HOUR))
    assert again is not None
    assert again.origin.schedule == "often"
