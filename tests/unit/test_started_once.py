"""Promise 1, started once: stop Trainbell at every step of a start and count the trainings.

On both stores, as all suites in which processes die or answers are lost.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.builders import FakeClock, a_caller
from tests.contract.store_factories import Place
from tests.dying_store import DyingStore, Killed
from tests.toy_service import ToyChannels, ToyService, a_trainbell
from trainbell.domain.events import EventType
from trainbell.domain.job import State
from trainbell.errors import (
    ProviderAuthFailed,
    ProviderError,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.ports import Store
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.jobs.resume_starts import resume_starts
from trainbell.use_cases.jobs.start_job import start_job
from trainbell.use_cases.telling.publish_changes import publish_changes

BODY = {"provider": "toy", "parameters": {"epochs": 3}}
KEY = "the-one-request"


@pytest.fixture
def store(place: Place) -> Store:
    return place()


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def run_to_its_end(services: Services, service: ToyService, clock: FakeClock) -> str:
    """What a client, a watcher and a publisher do, in order; repeats are harmless."""
    job, _ = request_job(services, BODY, by=a_caller("ada"), idempotency_key=KEY)
    start_job(services, services.store.get(job.id))
    for _ in range(50):
        job = services.store.get(job.id)
        if job.state is State.RUNNING:
            service.set_all("completed")
        elif service.trainings:
            service.set_all("processing")
        outcome = advance_job(services, job.id)
        if outcome.wait_seconds is None:
            break
        clock.advance(outcome.wait_seconds)
    publish_changes(services)
    return job.id


STEPS = 9


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_process_killed_at_any_write_leaves_one_training_one_end_one_message(
    place: Place, step: int, after: bool
) -> None:
    clock = FakeClock()
    service, channels = ToyService(clock), ToyChannels()
    first = place()
    dying = DyingStore(first, step, after=after)
    with pytest.raises(Killed):
        run_to_its_end(
            a_trainbell(dying, service, channels=channels),
            service,
            clock,
        )
    clock.advance(90)  # Longer than the lease of a delivery that the dead process had claimed.
    reborn = a_trainbell(place(), service, channels=channels)
    resume_starts(reborn)
    job_id = run_to_its_end(reborn, service, clock)

    assert len(service.trainings) == 1
    job = reborn.store.get(job_id)
    assert job.state is State.SUCCEEDED
    events = reborn.store.events(job_id, limit=100).items
    assert [event.type for event in events].count(EventType.JOB_FINISHED) == 1
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    told = {notice.id for notice in channels.collector.notices}
    assert f"{events[-1].id}:collector" in told


def test_the_steps_above_are_all_the_writes_there_are(store: Store) -> None:
    clock = FakeClock()
    service = ToyService(clock)
    counting = DyingStore(store, -1, after=False)
    run_to_its_end(a_trainbell(counting, service), service, clock)
    assert counting.writes == STEPS


@pytest.mark.parametrize("where", ["before_start", "after_start"])
def test_killed_between_the_request_and_its_answer(store: Store, where: str) -> None:
    clock = FakeClock()
    service = ToyService(clock)
    setattr(service, where, raising(Killed()))
    services = a_trainbell(store, service)
    with pytest.raises(Killed):
        run_to_its_end(services, service, clock)
    setattr(service, where, lambda: None)
    resume_starts(services)
    job_id = run_to_its_end(services, service, clock)
    assert len(service.trainings) == 1
    assert store.get(job_id).state is State.SUCCEEDED


@pytest.mark.parametrize(
    "error", [StartOutcomeUnknown("timed out"), ProviderReplyInvalid("<html>"), KeyError("id")]
)
def test_a_lost_answer_is_looked_up_and_adopted(store: Store, error: Exception) -> None:
    clock = FakeClock()
    service = ToyService(clock, after_start=raising(error))
    services = a_trainbell(store, service)
    job, _ = request_job(services, BODY, by=a_caller("ada"))
    unclear = start_job(services, services.store.get(job.id))
    assert unclear.start_is_unclear
    assert unclear.watch.last_error is not None
    clock.advance(60)
    adopted = advance_job(services, job.id).job
    assert adopted.handle == {"id": "t1"}
    assert len(service.trainings) == 1


def test_a_look_up_that_fails_proves_nothing(store: Store) -> None:
    clock = FakeClock()
    service = ToyService(
        clock,
        after_start=raising(StartOutcomeUnknown("timed out")),
        on_find=raising(ProviderUnavailable("connection refused")),
    )
    services = a_trainbell(store, service)
    job, _ = request_job(services, BODY, by=a_caller("ada"))
    start_job(services, services.store.get(job.id))
    for _ in range(20):
        clock.advance(1000)
        assert advance_job(services, job.id).job.start_is_unclear
    service.on_find = lambda: None
    clock.advance(1000)
    assert advance_job(services, job.id).job.handle == {"id": "t1"}
    assert len(service.trainings) == 1


def test_a_start_that_never_arrived_is_sent_again_only_after_the_service_has_settled(
    store: Store,
) -> None:
    clock = FakeClock()
    service = ToyService(clock, before_start=raising(StartOutcomeUnknown("connection dropped")))
    services = a_trainbell(store, service, spec={"settle_seconds": 30.0})
    job, _ = request_job(services, BODY, by=a_caller("ada"))
    sent_at = clock.now()
    start_job(services, services.store.get(job.id))
    service.before_start = lambda: None
    while not service.trainings:
        clock.advance(advance_job(services, job.id).wait_seconds or 0)
    assert (clock.now() - sent_at).total_seconds() >= 30
    assert len(service.trainings) == 1
    types = [event.type for event in store.events(job.id, limit=100).items]
    assert EventType.START_NOT_FOUND in types


@pytest.mark.parametrize(
    "error",
    [
        ProviderUnavailable("connection refused"),
        ProviderThrottled("slow down", retry_after_seconds=40),
        ProviderAuthFailed("wrong key"),
    ],
)
def test_a_start_that_was_surely_not_taken_is_tried_again_later(
    store: Store, error: ProviderError
) -> None:
    clock = FakeClock()
    service = ToyService(clock, before_start=raising(error))
    services = a_trainbell(store, service)
    job, _ = request_job(services, BODY, by=a_caller("ada"))
    job = start_job(services, services.store.get(job.id))
    assert job.state is State.REQUESTED
    assert job.watch.last_error is not None
    assert job.watch.last_error.type == type(error).__name__
    assert job.watch.next_poll_at is not None
    assert (job.watch.next_poll_at - clock.now()).total_seconds() >= (
        error.retry_after_seconds or 4
    )
    service.before_start = lambda: None
    clock.advance(1000)
    assert advance_job(services, job.id).job.handle is not None
    assert len(service.trainings) == 1


def test_two_watchers_at_once_send_one_start(store: Store) -> None:
    clock = FakeClock()
    service = ToyService(clock)
    services = a_trainbell(store, service)
    job, _ = request_job(services, BODY, by=a_caller("ada"))
    second: list[State] = []
    service.before_start = lambda: second.append(
        start_job(services, services.store.get(job.id)).state
    )
    start_job(services, services.store.get(job.id))
    assert second == [State.STARTING]
    assert len(service.trainings) == 1
