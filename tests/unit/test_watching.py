"""Watched to the end, ended once, cancelled for real: promises 2, 3 and 5 in the use cases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.builders import NOON, FakeClock, a_caller
from tests.toy_service import ToyService, WatchCalls, a_trainbell
from trainbell.domain.events import EventType
from trainbell.domain.job import EndReason, Job, State
from trainbell.domain.settings import Connection
from trainbell.errors import (
    Conflict,
    JobEnded,
    NotFound,
    NotSupported,
    ProviderAuthFailed,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
)
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.cancel_job import cancel_job
from trainbell.use_cases.jobs.forget_job import forget_job
from trainbell.use_cases.jobs.reconcile_jobs import reconcile_jobs
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.settings.configure_connections import put_connection
from trainbell.use_cases.settings.connection_trouble import what_is_wrong
from trainbell.use_cases.telling.publish_changes import publish_changes


def raising(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def a_running_one(services: Services, service: ToyService) -> Job:
    job, _ = request_job(services, {"provider": "toy"}, by=a_caller("ada"))
    advance_job(services, job.id)
    service.set_all("processing")
    service.clock.advance(10)
    return advance_job(services, job.id).job


def types_of(services: Services, job: Job) -> list[EventType]:
    return [event.type for event in services.store.events(job.id, limit=100).items]


def test_a_fifty_six_day_training_is_watched_to_its_end(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    job = a_running_one(services, service)
    ends_at = NOON + timedelta(hours=1344)
    polls = 0
    while True:
        if clock.now() >= ends_at:
            service.set_all("completed")
        outcome = advance_job(services, job.id)
        polls += 1
        if outcome.wait_seconds is None:
            break
        clock.advance(outcome.wait_seconds)
    assert outcome.job.state is State.SUCCEEDED
    assert (clock.now() - ends_at).total_seconds() <= 900
    assert polls < 8000


@pytest.mark.parametrize(
    "error",
    [
        ProviderUnavailable("down"),
        ProviderThrottled("slow down", retry_after_seconds=60),
        ProviderAuthFailed("expired"),
        ProviderReplyInvalid("<html>"),
        RuntimeError("a provider's bug"),
    ],
)
def test_no_failed_poll_ends_a_job(
    services: Services, service: ToyService, clock: FakeClock, error: Exception
) -> None:
    job = a_running_one(services, service)
    service.on_poll = raising(error)
    clock.advance(1)
    for _ in range(30):
        outcome = advance_job(services, job.id)
        assert outcome.job.state is State.RUNNING
        assert outcome.job.watch.last_error is not None
        assert outcome.wait_seconds is not None
        clock.advance(outcome.wait_seconds)
    service.on_poll = lambda: None
    mended = advance_job(services, job.id).job
    assert mended.watch.last_error is None
    assert types_of(services, job).count(EventType.POLL_FAILED) == 1
    assert types_of(services, job).count(EventType.POLL_RECOVERED) == 1


def test_a_service_that_forgets_the_job_makes_it_lost_after_the_grace(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    job = a_running_one(services, service)
    service.trainings.clear()
    gone_at = clock.now()
    while (outcome := advance_job(services, job.id)).wait_seconds is not None:
        clock.advance(outcome.wait_seconds)
    assert outcome.job.state is State.LOST
    assert outcome.job.end_reason is EndReason.UNKNOWN_TO_SERVICE
    assert (clock.now() - gone_at).total_seconds() >= 300


def test_a_cancel_is_done_when_the_service_says_so(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    job = a_running_one(services, service)
    asked = cancel_job(services, job.id, by=a_caller("ada"))
    assert asked.state is State.CANCELLING
    assert asked.may_still_cost
    assert isinstance(services.watchers, WatchCalls)
    assert services.watchers.jobs[-1].watch.number == job.watch.number + 1
    cancel_job(services, job.id, by=a_caller("ada"))
    assert service.cancels == 1
    clock.advance(30)
    assert advance_job(services, job.id).job.state is State.CANCELLING
    service.set_all("stopped")
    clock.advance(30)
    ended = advance_job(services, job.id).job
    assert (ended.state, ended.end_reason) == (State.CANCELLED, EndReason.CANCEL_CONFIRMED)
    assert not ended.may_still_cost
    with pytest.raises(JobEnded):
        cancel_job(services, job.id, by=a_caller("ada"))


def test_a_cancel_that_does_not_get_through_is_repeated(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    job = a_running_one(services, service)
    service.on_cancel = raising(ProviderUnavailable("down"))
    asked = cancel_job(services, job.id, by=a_caller("ada"))
    assert asked.state is State.CANCELLING
    assert asked.cancel.sent_at is None
    service.on_cancel = lambda: None
    clock.advance(30)
    assert advance_job(services, job.id).job.cancel.sent_at is not None
    assert service.trainings[0].status == "stopping"


def test_a_job_that_was_not_sent_is_cancelled_at_once(
    services: Services, service: ToyService
) -> None:
    job, _ = request_job(services, {"provider": "toy"}, by=a_caller("ada"))
    ended = cancel_job(services, job.id, by=a_caller("ada"))
    assert (ended.state, ended.end_reason) == (State.CANCELLED, EndReason.CANCELLED_BEFORE_START)
    assert advance_job(services, job.id).wait_seconds is None
    assert service.trainings == []


def test_a_cancel_while_the_start_is_unclear_waits_for_the_truth(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    job, _ = request_job(services, {"provider": "toy"}, by=a_caller("ada"))
    service.after_start = raising(TimeoutError())
    advance_job(services, job.id)
    assert cancel_job(services, job.id, by=a_caller("ada")).state is State.STARTING
    clock.advance(60)
    adopted = advance_job(services, job.id).job
    assert adopted.state is State.CANCELLING
    assert service.trainings[0].status == "stopping"


def test_a_service_without_a_cancel_call_is_said_so(
    store: SqliteStore, service: ToyService
) -> None:
    services = a_trainbell(store, service, spec={"can_cancel": False})
    job = a_running_one(services, service)
    with pytest.raises(NotSupported, match="may cost"):
        cancel_job(services, job.id, by=a_caller("ada"))
    assert services.store.get(job.id).cancel.requested_at is None


def test_the_deadline_cancels_and_the_end_is_expired(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    body = {"provider": "toy", "deadline_at": (NOON + timedelta(minutes=5)).isoformat()}
    job, _ = request_job(services, body, by=a_caller("ada"))
    advance_job(services, job.id)
    service.set_all("processing")
    while service.trainings[0].status == "processing":
        clock.advance(advance_job(services, job.id).wait_seconds or 0)
    assert clock.now() >= NOON + timedelta(minutes=5)
    service.set_all("stopped")
    clock.advance(60)
    ended = advance_job(services, job.id).job
    assert (ended.state, ended.end_reason) == (State.EXPIRED, EndReason.DEADLINE_EXCEEDED)


def test_a_superseded_watcher_stops_without_looking(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    job = a_running_one(services, service)
    clock.advance(2000)
    reconcile_jobs(services)
    polls = service.polls
    outcome = advance_job(services, job.id, watch=job.watch.number)
    assert outcome.superseded
    assert service.polls == polls
    assert not advance_job(services, job.id, watch=job.watch.number + 1).superseded


def test_a_hand_over_raises_the_watcher_number(services: Services, service: ToyService) -> None:
    job = a_running_one(services, service)
    outcome = advance_job(services, job.id, watch=job.watch.number, hand_over=True)
    assert outcome.handed_over
    assert outcome.job.watch.number == job.watch.number + 1
    service.set_all("completed")
    service.clock.advance(60)
    ended = advance_job(services, job.id, watch=job.watch.number + 1, hand_over=True)
    assert not ended.handed_over


def test_a_rate_budget_is_kept_by_all_jobs_of_a_connection(
    store: SqliteStore, service: ToyService
) -> None:
    services = a_trainbell(store, service)
    store.put_config(Connection(name="slow", provider="toy", calls_per_minute=6, created_at=NOON))
    ids = [
        request_job(services, {"provider": "toy", "connection": "slow"}, by=a_caller("ada"))[0].id
        for _ in range(4)
    ]
    calls: list[float] = []
    for second in range(1200):
        for due in store.due(service.clock.now(), 10):
            before = len(service.trainings) + service.polls
            advance_job(services, due.id)
            if len(service.trainings) + service.polls > before:
                calls.append(second)
        service.clock.advance(1)
    assert len(service.trainings) == len(ids)
    assert len(calls) > 60
    for begin in range(1200):
        assert sum(begin <= at < begin + 60 for at in calls) <= 6
    polled = [store.get(each_id).watch.polls for each_id in ids]
    assert max(polled) - min(polled) <= 2


def test_a_changed_connection_ends_a_services_silence_for_old_and_new_jobs(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    body = {"provider": "toy", "calls_per_minute": 60}
    put_connection(services, "slow", body)
    job, _ = request_job(services, {"provider": "toy", "connection": "slow"}, by=a_caller())
    services.store.hold_calls("slow", clock.now() + timedelta(hours=1))
    advance_job(services, job.id)
    assert service.trainings == []
    put_connection(services, "slow", body)  # Nothing changed: the service's wish stands.
    assert services.store.due(clock.now(), 10) == []
    put_connection(services, "slow", {**body, "calls_per_minute": 30})
    assert [due.id for due in services.store.due(clock.now(), 10)] == [job.id]
    advance_job(services, job.id)
    assert len(service.trainings) == 1
    place = services.store.reserve_call("slow", 30, clock.now())
    assert place < clock.now() + timedelta(minutes=1)


def test_a_forgotten_job_is_gone_with_what_lay_here_of_it(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    job = a_running_one(services, service)
    with pytest.raises(Conflict, match="has not ended"):
        forget_job(services, job.id)
    service.set_all("completed")
    clock.advance(60)
    advance_job(services, job.id)
    while publish_changes(services).more_due:
        pass
    forget_job(services, job.id)
    assert service.forgotten == ["t1"]
    with pytest.raises(NotFound):
        services.store.get(job.id)


def test_a_mended_connection_makes_its_waiting_jobs_go_on(
    store: SqliteStore, service: ToyService, clock: FakeClock
) -> None:
    services = a_trainbell(store, service)
    put_connection(services, "account", {"provider": "toy"})
    body = {"provider": "toy", "connection": "account"}
    job, _ = request_job(services, body, by=a_caller("ada"))
    other, _ = request_job(services, body, by=a_caller("ada"))
    for each in (job, other):
        advance_job(services, each.id)
    service.on_poll = raising(ProviderAuthFailed("wrong key"))
    clock.advance(20)
    stuck = advance_job(services, job.id)
    assert stuck.wait_seconds is not None
    assert stuck.wait_seconds > 600
    wrong = what_is_wrong(services, "account")
    assert wrong is not None
    assert (wrong.type, wrong.message) == ("ProviderAuthFailed", "wrong key")
    service.on_poll = lambda: None
    put_connection(services, "account", {"provider": "toy", "calls_per_minute": 60.0})
    mended = store.get(job.id)
    assert mended.watch.next_poll_at == clock.now()
    assert mended.watch.number == stuck.job.watch.number + 1
    assert store.get(other.id).watch.number == other.watch.number
    assert isinstance(services.watchers, WatchCalls)
    assert services.watchers.jobs[-1].id == job.id
    assert advance_job(services, job.id).job.watch.last_error is None
    assert what_is_wrong(services, "account") is None
