"""Schedules: one job for each due time, whatever is repeated, missed or killed in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import NOON, FakeClock
from tests.toy_service import ToyService, a_trainbell
from trainbell.domain.job import Job
from trainbell.domain.settings import Schedule
from trainbell.embedded.schedule_clock import (
    DueSchedule,
    EmbeddedScheduler,
    due_schedules,
    run_due_schedules,
)
from trainbell.errors import InputInvalid, NotFound, StoreUnavailable
from trainbell.ports import JobQuery
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.job_request import IDEMPOTENCY_KEY
from trainbell.use_cases.schedules.configure_schedules import delete_schedule, put_schedule
from trainbell.use_cases.schedules.run_schedule import run_schedule
from trainbell.use_cases.schedules.scheduled_job import scheduled_key

HOURLY = {"expression": "cron(0 * * * *)", "job": {"provider": "toy", "name": "nightly"}}
ONE = NOON + timedelta(hours=1)


@dataclass
class Clockwork:
    services: Services
    clock: FakeClock
    wakes: list[None]

    def put(self, name: str = "hourly", **changes: Any) -> Schedule:
        return put_schedule(self.services, name, {**HOURLY, **changes})[0]

    def schedule(self, name: str = "hourly") -> Schedule:
        schedule = self.services.store.get_config(Schedule, name)
        assert schedule is not None
        return schedule

    def jobs(self) -> list[Job]:
        page = self.services.store.list(JobQuery(project="default", limit=100))
        return sorted(page.items, key=lambda job: job.id)

    def at(self, moment: datetime) -> datetime:
        return self.clock.advance((moment - self.clock.now()).total_seconds())


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Clockwork]:
    store = SqliteStore(tmp_path / "jobs.sqlite3")
    clock, wakes = FakeClock(), list[None]()
    scheduler = EmbeddedScheduler(lambda: wakes.append(None))
    services = a_trainbell(store, ToyService(clock), scheduler=scheduler)
    yield Clockwork(services, clock, wakes)
    store.close()


# ---------------------------------------------------------------- one job for each due time


def test_a_due_time_makes_one_job_however_often_it_is_run(works: Clockwork) -> None:
    works.put()
    works.at(ONE)
    first = run_schedule(works.services, "hourly", ONE)
    again = run_schedule(works.services, "hourly", ONE)
    assert first is not None
    assert again is not None
    assert again.id == first.id
    assert [job.origin.schedule for job in works.jobs()] == ["hourly"]
    assert first.order.name == "nightly-20260302T130000Z"
    assert first.order.tags == {"trainbell:due_at": "2026-03-02T13:00:00Z"}
    assert first.origin.requested_by == "schedule:hourly"
    seen = works.schedule()
    assert (seen.last_due_at, seen.last_job_id, seen.last_error) == (ONE, first.id, None)
    assert seen.next_due_at == ONE + timedelta(hours=1)


def test_named_jobs_of_two_due_times_do_not_collide(works: Clockwork) -> None:
    works.put()
    for hour in (1, 2):
        due_at = NOON + timedelta(hours=hour)
        works.at(due_at)
        assert run_schedule(works.services, "hourly", due_at) is not None
    assert len(works.jobs()) == 2


@pytest.mark.parametrize("hours_later", [0, 7.5, 30])
@pytest.mark.parametrize("edited", [False, True], ids=["as it was", "edited meanwhile"])
def test_killed_before_the_record_it_is_still_one_job(
    works: Clockwork, hours_later: float, edited: bool
) -> None:
    """Also where the idempotency key has long expired."""
    before = works.put()
    works.at(ONE)
    first = run_schedule(works.services, "hourly", ONE)
    job = {"provider": "toy", "parameters": {"epochs": 2}} if edited else before.job
    works.services.store.put_config(replace(before, job=job))  # The record was never written.
    works.clock.advance(hours_later * 3600)
    works.services.store.purge_expired(works.clock.now())
    again = run_schedule(works.services, "hourly", ONE)
    assert first is not None
    assert again is not None
    assert again.id == first.id
    assert len(works.jobs()) == 1
    assert works.schedule().last_job_id == first.id


def test_a_due_time_that_comes_after_a_later_one_is_skipped(works: Clockwork) -> None:
    works.put()
    later = ONE + timedelta(hours=1)
    works.at(later)
    assert run_schedule(works.services, "hourly", later) is not None
    assert run_schedule(works.services, "hourly", ONE) is None
    assert len(works.jobs()) == 1
    assert works.schedule().last_due_at == later


def test_a_schedule_that_is_disabled_or_gone_does_nothing(works: Clockwork) -> None:
    works.put(enabled=False)
    works.at(ONE)
    assert run_schedule(works.services, "hourly", ONE) is None
    assert run_schedule(works.services, "another", ONE) is None
    assert works.jobs() == []
    assert works.schedule().last_due_at is None


def test_a_refused_job_is_recorded_and_the_next_due_time_is_tried_anew(works: Clockwork) -> None:
    good = works.put()
    works.services.store.put_config(replace(good, job={"provider": "gone"}))
    works.at(ONE)
    assert run_schedule(works.services, "hourly", ONE) is None
    seen = works.schedule()
    assert (seen.last_due_at, seen.last_job_id) == (ONE, None)
    assert seen.last_error is not None
    assert "gone" in seen.last_error
    assert run_schedule(works.services, "hourly", ONE) is None
    works.put()
    works.at(ONE + timedelta(hours=1))
    assert run_schedule(works.services, "hourly", works.clock.now()) is not None
    assert works.schedule().last_error is None


def test_keys_differ_by_name_and_due_time_and_have_the_allowed_form() -> None:
    keys = {scheduled_key(name, due) for name in ("a" * 63, "b_c") for due in (NOON, ONE)}
    assert len(keys) == 4
    assert all(IDEMPOTENCY_KEY.fullmatch(key) for key in keys)


# ---------------------------------------------------------------- nobody's change is lost


@dataclass
class Interleaved:
    """A store in which somebody does something each time that a job is created."""

    store: Any
    meanwhile: Callable[[], object]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def create(self, *given: Any) -> Any:
        created = self.store.create(*given)
        self.meanwhile()
        return created


class BetweenReadAndWrite:
    """A store in which somebody does something, once, after a setting was read for its change."""

    def __init__(self, store: Any, meanwhile: Callable[[], object], reads: int) -> None:
        self._store, self._meanwhile, self._reads = store, meanwhile, reads

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get_config(self, kind: Any, name: str) -> Any:
        found = self._store.get_config(kind, name)
        self._reads -= kind is Schedule
        if self._reads == 0 and kind is Schedule:
            self._meanwhile()
        return found


@pytest.mark.parametrize("reads", [1, 2], ids=["while it is requested", "while it is recorded"])
def test_a_run_never_undoes_a_disable(works: Clockwork, reads: int) -> None:
    works.put()
    works.at(ONE)
    store: Any = BetweenReadAndWrite(works.services.store, lambda: works.put(enabled=False), reads)
    run_schedule(a_trainbell(store, ToyService(works.clock)), "hourly", ONE)
    seen = works.schedule()
    assert not seen.enabled
    assert seen.last_due_at == ONE


@pytest.mark.parametrize("reads", [1, 2], ids=["while it is requested", "while it is recorded"])
def test_a_run_never_brings_a_deleted_schedule_back(works: Clockwork, reads: int) -> None:
    works.put()
    works.at(ONE)
    gone = BetweenReadAndWrite(
        works.services.store, lambda: delete_schedule(works.services, "hourly"), reads
    )
    store: Any = gone
    run_schedule(a_trainbell(store, ToyService(works.clock)), "hourly", ONE)
    assert works.services.store.get_config(Schedule, "hourly") is None


def test_a_run_says_nothing_of_another_schedule_that_took_its_name(works: Clockwork) -> None:
    works.put()
    works.at(ONE)

    def another() -> None:
        delete_schedule(works.services, "hourly")
        works.clock.advance(1)
        works.put(expression="rate(1 day)")

    store: Any = Interleaved(works.services.store, another)
    assert run_schedule(a_trainbell(store, ToyService(works.clock)), "hourly", ONE) is not None
    assert works.schedule().last_due_at is None


def test_a_change_keeps_what_a_run_recorded_meanwhile(works: Clockwork) -> None:
    works.put()
    works.at(ONE)
    store: Any = BetweenReadAndWrite(
        works.services.store, lambda: run_schedule(works.services, "hourly", ONE), reads=1
    )
    services = a_trainbell(store, ToyService(works.clock))
    put_schedule(services, "hourly", {**HOURLY, "expression": "rate(2 hours)"})
    seen = works.schedule()
    assert (seen.expression, seen.last_due_at) == ("rate(2 hours)", ONE)
    assert seen.last_job_id == works.jobs()[0].id


def test_runs_and_switches_by_many_threads_lose_nothing(works: Clockwork) -> None:
    works.put()
    works.at(NOON + timedelta(hours=9))

    def act(number: int) -> bool:
        if number % 2:
            run_schedule(works.services, "hourly", NOON + timedelta(hours=number))
        else:
            works.put(time_zone=f"Etc/GMT+{number}", enabled=number != 8)
        return True

    for number in range(8):
        act(number)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, [8, 9]))
    assert not works.schedule().enabled


def test_a_late_run_is_noted_and_one_that_had_run_is_not(works: Clockwork) -> None:
    works.put()
    two, three = ONE + timedelta(hours=1), ONE + timedelta(hours=2)
    works.at(three)
    first = run_schedule(works.services, "hourly", ONE)
    run_schedule(works.services, "hourly", three)
    assert first is not None
    again = run_schedule(works.services, "hourly", ONE)
    assert again is not None
    assert again.id == first.id
    assert works.schedule().last_error is None
    for _ in range(2):
        assert run_schedule(works.services, "hourly", two) is None
    told = "not run at 2026-03-02T14:00:00Z: it came after a later due time had run"
    assert works.schedule().last_error == told
    assert works.schedule().last_due_at == three


# ---------------------------------------------------------------- the embedded clock


def test_the_loop_learns_when_to_look_again(works: Clockwork) -> None:
    assert run_due_schedules(works.services) is None
    works.put()
    works.put("often", expression="rate(10 minutes)", job={"provider": "toy"})
    assert len(works.wakes) == 2
    assert run_due_schedules(works.services) == NOON + timedelta(minutes=10)
    works.at(NOON + timedelta(minutes=10))
    assert run_due_schedules(works.services) == NOON + timedelta(minutes=20)
    assert [job.origin.schedule for job in works.jobs()] == ["often"]


def test_of_the_due_times_missed_while_down_the_latest_runs_once(works: Clockwork) -> None:
    works.put()
    now = works.at(NOON + timedelta(hours=5, minutes=20))
    latest = NOON + timedelta(hours=5)
    assert due_schedules(works.services, now) == [DueSchedule("hourly", latest, missed_since=ONE)]
    assert run_due_schedules(works.services) == NOON + timedelta(hours=6)
    assert run_due_schedules(works.services) == NOON + timedelta(hours=6)
    (job,) = works.jobs()
    seen = works.schedule()
    assert (seen.last_due_at, seen.last_job_id) == (latest, job.id)
    assert seen.last_error is not None
    assert "2026-03-02T13:00:00Z" in seen.last_error


def test_a_due_time_that_comes_while_another_is_run_is_not_missed(works: Clockwork) -> None:
    works.put()
    works.at(ONE + timedelta(hours=1, minutes=1))
    assert run_schedule(works.services, "hourly", ONE) is not None
    assert run_due_schedules(works.services) == ONE + timedelta(hours=2)
    assert len(works.jobs()) == 2


def test_a_store_in_trouble_costs_no_due_time(works: Clockwork) -> None:
    works.put()
    works.at(ONE)

    class Troubled:
        def __getattr__(self, name: str) -> Any:
            return getattr(works.services.store, name)

        def create(self, *_: Any) -> None:
            raise StoreUnavailable("locked")

    troubled: Any = Troubled()
    soon = run_due_schedules(a_trainbell(troubled, ToyService(works.clock)))
    assert soon == ONE + timedelta(seconds=5)
    assert works.schedule().last_due_at is None
    run_due_schedules(works.services)
    assert works.schedule().last_due_at == ONE


def test_one_that_breaks_stops_no_other_and_does_not_spin(works: Clockwork) -> None:
    works.put("a-broken")
    works.put("b-fine", job={"provider": "toy"})
    works.at(ONE)
    broken = works.schedule("a-broken")
    tags: Any = {"odd": object}
    # A record that no check would let in: JSON cannot hold it, so it is broken in flight.
    store = works.services.store

    class Odd:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def get_config(self, kind: Any, name: str) -> Any:
            if name == "a-broken" and not self.seen:
                self.seen = True
                return replace(broken, job={"provider": "toy", "parameters": tags})
            return store.get_config(kind, name)

        seen = False

    odd: Any = Odd()
    assert run_due_schedules(a_trainbell(odd, ToyService(works.clock))) == ONE + timedelta(hours=1)
    assert [job.origin.schedule for job in works.jobs()] == ["b-fine"]
    last_error = works.schedule("a-broken").last_error
    assert last_error is not None
    assert "broke: TypeError" in last_error


# ---------------------------------------------------------------- configuring


def test_all_problems_are_told_at_once_and_nothing_is_stored(works: Clockwork) -> None:
    body = {
        "expression": "cron(0 0 1 * 1)",
        "time_zone": "Mars/Olympus",
        "colour": "red",
        "job": {
            "provider": "toy",
            "parameters": {"epochs": 0, "lr": 1},
            "deadline_at": "2026-03-03T00:00:00Z",
        },
    }
    with pytest.raises(InputInvalid) as refusal:
        put_schedule(works.services, "Bad Name", body)
    assert {problem.path for problem in refusal.value.problems} == {
        "name",
        "expression",
        "time_zone",
        "colour",
        "job.deadline_at",
        "job.parameters.epochs",
        "job.parameters.lr",
    }
    assert works.services.store.list_config(Schedule).items == ()
    assert works.wakes == []


@pytest.mark.parametrize("body", [{}, {"expression": 5, "job": []}, {"job": {"tags": 3}}])
def test_a_body_of_any_form_is_refused_with_paths(works: Clockwork, body: dict[str, Any]) -> None:
    with pytest.raises(InputInvalid):
        put_schedule(works.services, "hourly", body)


def test_a_change_keeps_the_rates_beat_and_runs_nothing_that_passed(works: Clockwork) -> None:
    works.put(expression="rate(1 hour)")
    works.clock.advance(90 * 60)
    changed = works.put(expression="rate(2 hours)", job={"provider": "toy"})
    assert changed.created_at == NOON
    assert changed.next_due_at == NOON + timedelta(hours=2)


def test_deleting(works: Clockwork) -> None:
    works.put()
    delete_schedule(works.services, "hourly")
    with pytest.raises(NotFound, match="none is configured yet"):
        delete_schedule(works.services, "hourly")
