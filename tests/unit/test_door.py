"""Every call to a service passes one door: its place, its requests, its silence, its failure."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.builders import FakeClock, a_caller
from tests.toy_service import ToyService, a_trainbell
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import Job, State
from trainbell.domain.settings import Connection
from trainbell.errors import ProviderThrottled, ProviderUnavailable
from trainbell.ports import Store
from trainbell.ports.call_scope import request_begins
from trainbell.use_cases.ground.door import OPERATION_SECONDS, Door, Later, door_to
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.cancel_job import cancel_job
from trainbell.use_cases.jobs.read_logs import read_logs
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.settings.configure_connections import try_connection

SPACING = 65.0
"""Seconds between two places at one call a minute (`domain.rate_budget`)."""


@pytest.fixture
def services(store: Store, service: ToyService) -> Services:
    store.put_config(Connection(name="toy", provider="toy", calls_per_minute=1))
    return a_trainbell(store, service, spec={"has_logs": True})


@pytest.fixture
def door(services: Services) -> Door:
    connection = services.store.get_config(Connection, "toy")
    assert connection is not None
    return door_to(services, connection)


def running(services: Services, service: ToyService, count: int) -> list[Job]:
    jobs = [request_job(services, {"provider": "toy"}, by=a_caller("ada"))[0] for _ in range(count)]
    advance_until(services, service, jobs, State.QUEUED)
    return [services.store.get(job.id) for job in jobs]


def advance_until(
    services: Services, service: ToyService, jobs: list[Job], state: State
) -> list[float]:
    """When each call was made, by the clock, until all jobs are in that state."""
    for _ in range(10_000):
        due = services.store.due(services.clock.now(), 100)
        for each in due:
            advance_job(services, each.id)
        if all(services.store.get(job.id).state is state for job in jobs):
            return []
        service.clock.advance(1)
    raise AssertionError(f"not all jobs reached {state}")


def test_eight_cancels_keep_a_budget_of_one_call_a_minute(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    jobs = running(services, service, 8)
    sent_at: list[float] = []
    begun = clock.now()
    service.on_cancel = lambda: sent_at.append((clock.now() - begun).total_seconds())
    service.on_poll = lambda: sent_at.append((clock.now() - begun).total_seconds())
    for job in jobs:
        cancel_job(services, job.id, by=a_caller("ada"))
    assert len(sent_at) <= 1
    service.set_all("processing")
    for _ in range(40 * 65):
        for each in services.store.due(clock.now(), 100):
            advance_job(services, each.id)
        clock.advance(1)
    assert service.cancels == 8
    gaps = [later - earlier for earlier, later in pairwise(sent_at)]
    assert min(gaps) >= 60
    assert all(services.store.get(job.id).cancel.sent_at is not None for job in jobs)


def test_polls_and_refused_cancels_take_turns(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    (job,) = running(services, service, 1)
    calls: list[str] = []

    def refuse() -> None:
        calls.append("cancel")
        raise ProviderUnavailable("down")

    service.on_cancel, service.on_poll = refuse, lambda: calls.append("poll")
    cancel_job(services, job.id, by=a_caller("ada"))
    for _ in range(7 * 65):
        for each in services.store.due(clock.now(), 100):
            advance_job(services, each.id)
        clock.advance(1)
    assert {"cancel", "poll"} <= set(calls[:3])
    assert all(one != other for one, other in pairwise(calls))


def test_each_request_of_an_operation_takes_a_place(door: Door, clock: FakeClock) -> None:
    def thirteen_requests(_: object) -> str:
        for _ in range(13):
            request_begins(40)
        return "read"

    assert door.ask(thirteen_requests) == "read"
    later = door.ask(lambda _: "not now")
    assert isinstance(later, Later)
    assert later.at - clock.now() == timedelta(seconds=13 * SPACING)


def test_all_requests_of_an_operation_share_one_deadline(door: Door) -> None:
    granted = door.ask(lambda _: request_begins(3600))
    assert isinstance(granted, float)
    assert 0 < granted <= OPERATION_SECONDS
    assert request_begins(3600) == 3600  # Outside a door there is none.


def test_who_waits_for_an_answer_has_it_before_a_gateway_cuts_the_waiting_off(door: Door) -> None:
    """API Gateway's HTTP APIs wait 30 s at most, and the function behind ends after 29."""
    assert 0 < door.call(lambda _: request_begins(3600)) < 29


def test_a_failure_is_data_and_keeps_when_the_call_began(door: Door, clock: FakeClock) -> None:
    begun = clock.now()

    def fail(_: object) -> None:
        clock.advance(7)
        raise ProviderUnavailable("down", http_status=503, request_id="r-1")

    failure = door.ask(fail)
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.at) == (FailureKind.UNAVAILABLE, begun)
    assert (failure.type, failure.http_status) == ("ProviderUnavailable", 503)
    assert failure.request_id == "r-1"


@pytest.mark.parametrize(("asked", "kept"), [(120.0, 120.0), (86_400.0, 3600.0)])
def test_silence_is_kept_for_all_and_for_an_hour_at_most(
    door: Door, clock: FakeClock, asked: float, kept: float
) -> None:
    def throttled(_: object) -> None:
        raise ProviderThrottled("slow down", retry_after_seconds=asked)

    door.ask(throttled)
    later = door.ask(lambda _: "not now")
    assert isinstance(later, Later)
    assert (later.at - clock.now()).total_seconds() == pytest.approx(kept, abs=SPACING)


def test_logs_and_the_connection_test_keep_the_budget_too(
    services: Services, service: ToyService
) -> None:
    (job,) = running(services, service, 1)
    with pytest.raises(ProviderThrottled) as refused:
        read_logs(services, job.id, 10)
    assert refused.value.retry_after_seconds
    with pytest.raises(ProviderThrottled):
        try_connection(services, "toy")
    service.clock.advance(4 * SPACING)
    assert read_logs(services, job.id, 10) == ["log of t1"]
