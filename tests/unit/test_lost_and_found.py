"""Lost only where the service itself says so, of a connection that works; and found again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.builders import FakeClock, a_caller
from tests.toy_service import ToyService, Training, WatchCalls, a_trainbell
from trainbell.domain.events import EventType
from trainbell.domain.job import CancelCause, Job, State
from trainbell.errors import (
    ProviderAuthFailed,
    ProviderError,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.ports import Store
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.cancel_job import cancel_job
from trainbell.use_cases.jobs.reconcile_jobs import reconcile_jobs
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.settings.configure_connections import put_connection

A_WEEK = timedelta(days=7)
BODY = {"provider": "toy", "connection": "account"}


@pytest.fixture
def services(store: Store, service: ToyService) -> Services:
    services = a_trainbell(store, service)
    put_connection(services, "account", {"provider": "toy"})
    return services


@pytest.fixture
def job(services: Services, service: ToyService, clock: FakeClock) -> Job:
    job, _ = request_job(
        services, {"provider": "toy", "connection": "account", "name": "night"}, by=a_caller("ada")
    )
    advance_job(services, job.id)
    service.set_all("processing")
    clock.advance(10)
    return advance_job(services, job.id).job


def raising(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def watch(services: Services, clock: FakeClock, job: Job, hours: float) -> Job:
    """Look whenever it is due, for so long or until it ends."""
    until = clock.now() + timedelta(hours=hours)
    while clock.now() < until:
        outcome = advance_job(services, job.id)
        if outcome.wait_seconds is None:
            break
        clock.advance(outcome.wait_seconds)
    return services.store.get(job.id)


def events_of(services: Services, job: Job) -> list[EventType]:
    return [event.type for event in services.store.events(job.id, limit=100).items]


def test_a_training_that_is_gone_is_lost_once_the_connection_was_tried(
    services: Services, service: ToyService, clock: FakeClock, job: Job
) -> None:
    service.trainings.clear()
    assert watch(services, clock, job, 2).state is State.LOST
    assert service.checks == 1


@pytest.mark.parametrize("error", [ProviderAuthFailed("wrong key"), ProviderUnavailable("502")])
def test_a_connection_that_does_not_work_loses_nothing(
    services: Services, service: ToyService, clock: FakeClock, job: Job, error: ProviderError
) -> None:
    gone, service.trainings = service.trainings, []
    service.on_check = raising(error)
    waiting = watch(services, clock, job, 24)
    assert waiting.state is State.RUNNING
    assert waiting.watch.last_error is not None
    assert waiting.watch.last_error.type == type(error).__name__
    service.trainings = gone
    service.set_all("completed")
    assert watch(services, clock, job, 2).state is State.SUCCEEDED


def test_a_connection_that_leads_elsewhere_is_never_proof(
    services: Services, service: ToyService, clock: FakeClock, job: Job
) -> None:
    put_connection(services, "account", {"provider": "toy", "base_url": "https://other.example"})
    here, service.trainings = service.trainings, []
    waiting = watch(services, clock, job, 48)
    assert waiting.state is State.RUNNING
    assert waiting.watch.last_error is not None
    assert "change it back" in waiting.watch.last_error.message
    put_connection(services, "account", {"provider": "toy"})
    service.trainings = here
    service.set_all("completed")
    assert watch(services, clock, job, 2).state is State.SUCCEEDED


def test_a_cancel_says_that_a_person_is_content_with_the_end(
    services: Services, service: ToyService, clock: FakeClock, job: Job
) -> None:
    put_connection(services, "account", {"provider": "toy", "base_url": "https://other.example"})
    service.trainings.clear()
    watch(services, clock, job, 1)
    cancel_job(services, job.id, by=a_caller("ada"))
    assert watch(services, clock, job, 3).state is State.LOST


def test_a_start_is_looked_up_where_it_was_sent(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    """Its answer was lost; nothing at another account proves that nothing runs at the first."""

    service.after_start = raising(StartOutcomeUnknown("the connection was cut"))
    job, _ = request_job(services, BODY, by=a_caller("ada"))
    advance_job(services, job.id)
    service.after_start = lambda: None
    here, service.trainings = service.trainings, []
    put_connection(services, "account", {"provider": "toy", "base_url": "https://other.example"})
    waiting = watch(services, clock, job, 24)
    assert (waiting.state, waiting.start.attempts, service.trainings) == (State.STARTING, 1, [])
    assert waiting.watch.last_error is not None
    assert "change it back" in waiting.watch.last_error.message
    assert EventType.START_NEEDS_ANSWER in events_of(services, job)
    put_connection(services, "account", {"provider": "toy"})
    service.trainings = here
    service.set_all("completed")
    assert watch(services, clock, job, 2).state is State.SUCCEEDED
    assert len(service.trainings) == 1


def test_a_deadline_knows_nothing_of_where_a_connection_leads(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    """Its cancel is no person's word; a person's, that comes later, is."""
    job, _ = request_job(services, {**BODY, "deadline_seconds": 7200}, by=a_caller("ada"))
    advance_job(services, job.id)
    put_connection(services, "account", {"provider": "toy", "base_url": "https://other.example"})
    service.trainings.clear()
    waiting = watch(services, clock, job, 48)
    assert (waiting.state, waiting.cancel.cause) == (State.CANCELLING, CancelCause.DEADLINE)
    cancel_job(services, job.id, by=a_caller("bob"))
    lost = watch(services, clock, job, 3)
    assert (lost.state, lost.cancel.requested_by) == (State.LOST, "bob")


def test_a_change_that_leads_to_the_same_account_moves_nothing(services: Services) -> None:
    put_connection(services, "account", {"provider": "toy", "calls_per_minute": 60.0})
    changed, _ = put_connection(services, "account", {"provider": "toy", "max_active": 4})
    assert changed.moved_at is None


def test_a_lost_job_is_found_again_as_a_linked_one_and_told(
    services: Services, service: ToyService, clock: FakeClock, job: Job
) -> None:
    away, service.trainings = service.trainings, []
    lost = watch(services, clock, job, 2)
    clock.advance(3600)
    assert watch(services, clock, job, 0.1) == services.store.get(job.id)
    service.trainings = away
    clock.advance(3 * 3600)
    reconcile_jobs(services)

    assert isinstance(services.watchers, WatchCalls)
    found = services.watchers.jobs[-1]
    assert (found.handle, found.origin.found_again_of) == (lost.handle, lost.id)
    assert found.order.name is None
    assert events_of(services, job)[-2:] == [EventType.JOB_FINISHED, EventType.JOB_FOUND_AGAIN]
    assert services.store.get(job.id).state is State.LOST
    service.set_all("completed")
    assert watch(services, clock, found, 1).state is State.SUCCEEDED
    assert services.store.due(clock.now() + A_WEEK, 10) == []


def test_a_search_that_is_repeated_finds_one_job(
    services: Services, service: ToyService, clock: FakeClock, job: Job
) -> None:
    away, service.trainings = service.trainings, []
    lost = watch(services, clock, job, 2)
    service.trainings = away
    clock.advance(3600)
    first = advance_job(services, lost.id)
    assert first.job.due_at is None
    again = advance_job(services, lost.id)
    assert again.job == first.job
    assert len(services.store.active("account", 10)) == 1


def test_the_search_ends_after_a_week(
    services: Services, service: ToyService, clock: FakeClock, job: Job
) -> None:
    service.trainings.clear()
    watch(services, clock, job, 2)
    polls = service.polls
    for _ in range(200):
        clock.advance(3600)
        reconcile_jobs(services)
    assert 10 < service.polls - polls < 100
    assert services.store.get(job.id).due_at is None


def test_one_training_is_one_jobs(
    services: Services, service: ToyService, clock: FakeClock, job: Job
) -> None:
    """A service that answers a second start with the first one's training (a join)."""
    service.joins = True
    second, _ = request_job(
        services, {"provider": "toy", "connection": "account"}, by=a_caller("bob")
    )
    ended = advance_job(services, second.id).job
    assert (ended.state, ended.handle) == (State.FAILED, None)
    assert ended.seen.message == f"job {job.id} watches this training already"
    service.set_all("completed")
    watch(services, clock, job, 1)
    third, _ = request_job(
        services, {"provider": "toy", "connection": "account"}, by=a_caller("bob")
    )
    assert advance_job(services, third.id).job.handle == {"id": "t1"}


def test_a_look_up_that_finds_two_adopts_one_and_raises_the_alarm(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    service.after_start = raising(RuntimeError("the answer is lost"))
    job, _ = request_job(services, {"provider": "toy", "connection": "account"}, by=a_caller("ada"))
    advance_job(services, job.id)
    service.trainings.append(Training("t9", job.id))
    clock.advance(61)
    adopted = advance_job(services, job.id).job
    assert adopted.handle == {"id": service.trainings[0].id}
    assert EventType.DOUBLED_TRAINING in events_of(services, job)
