"""A service's own event: a look at once, by a fresh watcher, and never more than that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import FakeClock, a_caller, changed
from tests.toy_service import ToyService, WatchCalls
from trainbell.domain.ids import job_id_at_the_end
from trainbell.domain.job import Job, State
from trainbell.errors import StoreUnavailable
from trainbell.ports import Change
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.poll_on_event import poll_on_event
from trainbell.use_cases.jobs.request_job import request_job


def named(job: Job) -> str:
    return f"trainbell-{job.id}"


@pytest.fixture
def job(services: Services, service: ToyService, clock: FakeClock) -> Job:
    """Running for ten minutes, seen a minute ago, and its watcher asleep for long."""
    job, _ = request_job(services, {"provider": "toy"}, by=a_caller("ada"))
    advance_job(services, job.id)
    service.set_all("processing")
    clock.advance(600)
    started = advance_job(services, job.id).job
    in_an_hour = clock.now() + timedelta(hours=1)
    handle = {**(started.handle or {}), "name": named(job)}
    looked_at = changed(started, handle=handle, next_poll_at=in_an_hour)
    saved = services.store.save(Change(job=looked_at))
    clock.advance(60)
    assert isinstance(services.watchers, WatchCalls)
    services.watchers.jobs.clear()
    return saved


def watched(services: Services) -> list[tuple[str, int]]:
    assert isinstance(services.watchers, WatchCalls)
    return [(each.id, each.watch.number) for each in services.watchers.jobs]


def test_an_event_causes_a_look_at_once(
    services: Services, service: ToyService, clock: FakeClock, job: Job
) -> None:
    found = poll_on_event(services, named(job), clock.now())
    assert found is not None
    assert watched(services) == [(job.id, job.watch.number + 1)]
    assert services.store.get(job.id).watch.next_poll_at == clock.now()
    assert [due.id for due in services.store.due(clock.now(), 10)] == [job.id]
    assert advance_job(services, job.id, watch=job.watch.number).superseded
    service.set_all("completed")
    ended = advance_job(services, job.id, watch=job.watch.number + 1).job
    assert ended.state is State.SUCCEEDED


def test_a_repeated_event_adds_at_most_a_watcher(
    services: Services, service: ToyService, clock: FakeClock, job: Job
) -> None:
    occurred = clock.now() - timedelta(seconds=3)
    for _ in range(5):
        poll_on_event(services, named(job), occurred)
    assert watched(services) == [(job.id, job.watch.number + 1)]
    service.set_all("completed")
    advance_job(services, job.id)
    assert poll_on_event(services, named(job), occurred) is None
    assert services.store.get(job.id).state is State.SUCCEEDED
    assert len(watched(services)) == 1


def test_an_event_that_came_after_the_look_began_is_not_missed(
    services: Services, clock: FakeClock, job: Job
) -> None:
    poll_on_event(services, named(job), clock.now() - timedelta(seconds=3))
    clock.advance(4)
    poll_on_event(services, named(job), clock.now())
    assert watched(services) == [(job.id, job.watch.number + 1), (job.id, job.watch.number + 2)]


def test_what_was_seen_since_needs_no_second_look(
    services: Services, clock: FakeClock, job: Job
) -> None:
    occurred = clock.now()
    clock.advance(30)
    advance_job(services, job.id)
    assert poll_on_event(services, named(job), occurred) is None
    assert watched(services) == []


@pytest.mark.parametrize(
    "name",
    ["", "short", "trainbell-connection-check", "trainbell-01zzzzzzzzzzzzzzzzzzzzzzzz"],
)
def test_a_name_that_is_not_of_a_job_is_ignored(
    services: Services, clock: FakeClock, job: Job, name: str
) -> None:
    assert poll_on_event(services, name, clock.now()) is None
    assert services.store.get(job.id) == job


def test_another_installations_job_with_the_same_id_is_not_ours(
    services: Services, clock: FakeClock, job: Job
) -> None:
    assert poll_on_event(services, f"trainbell-other-{job.id}", clock.now()) is None
    assert watched(services) == []


def test_a_job_that_is_not_at_its_service_yet_is_left_to_its_watcher(
    services: Services, clock: FakeClock
) -> None:
    job, _ = request_job(services, {"provider": "toy"}, by=a_caller("ada"))
    assert poll_on_event(services, named(job), clock.now()) is None
    assert services.store.get(job.id) == job


def test_a_watcher_that_cannot_be_started_is_told_and_mended_by_the_reconciler(
    services: Services, clock: FakeClock, job: Job
) -> None:
    class NoWatcher:
        def watch(self, job: Job) -> None:
            raise StoreUnavailable("no execution")

    broken = replace(services, watchers=NoWatcher())
    with pytest.raises(StoreUnavailable):
        poll_on_event(broken, named(job), clock.now())
    assert [due.id for due in services.store.due(clock.now(), 10)] == [job.id]


def test_the_id_at_the_end_of_a_name(services: Services) -> None:
    job_id = services.new_job_id()
    assert job_id_at_the_end(job_id) == job_id_at_the_end(f"trainbell-{job_id}") == job_id
    assert job_id_at_the_end(f"{job_id}-more") is None
    assert job_id_at_the_end(f"{job_id}\n") is None
    assert job_id_at_the_end(job_id.upper()) is None
