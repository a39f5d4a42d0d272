"""A request is checked whole before anything is stored, and stored once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOON, FakeClock, a_caller, a_job
from tests.toy_service import ToyService, WatchCalls, a_trainbell
from trainbell.domain.job import State
from trainbell.domain.settings import Connection
from trainbell.domain.slots import slot_hold
from trainbell.errors import HoldTaken, IdempotencyConflict, InputInvalid
from trainbell.ports import Change, JobQuery
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.request_job import request_job


def paths_of(services: Services, body: dict[str, Any]) -> list[str]:
    with pytest.raises(InputInvalid) as refusal:
        request_job(services, body, by=a_caller("ada"))
    assert services.store.list(JobQuery(project="default")).items == ()
    return [problem.path for problem in refusal.value.problems]


def test_a_good_request_becomes_a_watched_job(services: Services) -> None:
    job, is_new = request_job(
        services, {"provider": "toy", "parameters": {"dataset": "faces"}}, by=a_caller("ada")
    )
    assert is_new
    assert (job.state, job.order.kind, job.order.connection, job.order.dataset) == (
        State.REQUESTED,
        "train",
        "toy",
        "faces",
    )
    assert job.origin.requested_by == "ada"
    assert isinstance(services.watchers, WatchCalls)
    assert [each.id for each in services.watchers.jobs] == [job.id]


def test_all_problems_come_at_once_with_their_paths(services: Services) -> None:
    found = paths_of(
        services,
        {
            "provider": "toy",
            "connection": "nowhere",
            "kind": "bake",
            "name": "",
            "colour": "red",
            "deadline_at": "tomorrow",
            "tags": {"": "x", "long": "v" * 257},
        },
    )
    assert {"connection", "kind", "name", "colour", "deadline_at"} <= set(found)
    assert any(path.startswith("tags") for path in found)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "provider"),
        ({"provider": 7}, "provider"),
        ({"provider": "nobody"}, "provider"),
        ({"provider": "toy", "parameters": {"epochs": 0}}, "parameters.epochs"),
        ({"provider": "toy", "parameters": {"epochs": 1001}}, "parameters.epochs"),
        ({"provider": "toy", "parameters": {"epoch": 3}}, "parameters.epoch"),
        ({"provider": "toy", "parameters": []}, "parameters"),
        ({"provider": "toy", "parameters": {"dataset": "x" * 300_000}}, "parameters"),
        ({"provider": "toy", "deadline_at": "2026-03-02T11:59:59Z"}, "deadline_at"),
        ({"provider": "toy", "deadline_at": "2026-03-02T13:00:00"}, "deadline_at"),
        ({"provider": "toy", "deadline_at": "9999-12-31T23:59:59-12:00"}, "deadline_at"),
        ({"provider": "toy", "deadline_seconds": 0}, "deadline_seconds"),
        ({"provider": "toy", "deadline_seconds": 1e300}, "deadline_seconds"),
        (
            {
                "provider": "toy",
                "deadline_seconds": 60,
                "deadline_at": "2026-03-02T13:00:00Z",
            },
            "deadline_seconds",
        ),
        ({"provider": "toy", "tags": {f"t{n}": "" for n in range(201)}}, "tags"),
        ({"provider": "toy", "project": "No Such"}, "project"),
        ({"provider": "toy", "when_busy": "explode"}, "when_busy"),
        (
            {"provider": "toy", "min_interval_seconds": 60, "max_interval_seconds": 30},
            "max_interval_seconds",
        ),
    ],
)
def test_each_wrong_field_is_named(services: Services, body: dict[str, Any], path: str) -> None:
    assert paths_of(services, body) == [path]


def test_the_shortest_interval_follows_the_longest(services: Services) -> None:
    job, _ = request_job(
        services, {"provider": "toy", "max_interval_seconds": 1}, by=a_caller("ada")
    )
    assert (job.order.min_interval_seconds, job.order.max_interval_seconds) == (1, 1)


def test_an_unknown_provider_is_told_which_exist(services: Services) -> None:
    with pytest.raises(InputInvalid, match="toy"):
        request_job(services, {"provider": "nobody"}, by=a_caller("ada"))


@pytest.mark.parametrize("key", ["", "a" * 65, "käse", "a b", "a_b"])
def test_a_malformed_key_is_refused(services: Services, key: str) -> None:
    with pytest.raises(InputInvalid, match="Idempotency-Key"):
        request_job(services, {"provider": "toy"}, by=a_caller("ada"), idempotency_key=key)


def test_the_same_key_gives_the_same_job_for_eight_hours(
    services: Services, clock: FakeClock
) -> None:
    body = {"provider": "toy", "parameters": {"dataset": "faces", "epochs": 3}}
    reordered = {"parameters": {"epochs": 3, "dataset": "faces"}, "provider": "toy"}
    first, _ = request_job(services, body, by=a_caller("ada"), idempotency_key="k-1")
    clock.advance(timedelta(hours=7, minutes=59).total_seconds())
    again, is_new = request_job(services, reordered, by=a_caller("ada"), idempotency_key="k-1")
    assert (again.id, is_new) == (first.id, False)
    with pytest.raises(IdempotencyConflict):
        request_job(services, {"provider": "toy"}, by=a_caller("ada"), idempotency_key="k-1")
    clock.advance(120)
    _, is_new = request_job(services, body, by=a_caller("ada"), idempotency_key="k-1")
    assert is_new


def test_a_span_as_deadline_counts_from_the_request_and_stays_the_same_request(
    services: Services, clock: FakeClock
) -> None:
    body = {"provider": "toy", "deadline_seconds": 7200}
    first, _ = request_job(services, body, by=a_caller("ada"), idempotency_key="k-1")
    assert first.order.deadline_at == NOON + timedelta(hours=2)
    clock.advance(60)
    again, is_new = request_job(services, body, by=a_caller("ada"), idempotency_key="k-1")
    assert (again.id, again.order.deadline_at, is_new) == (first.id, first.order.deadline_at, False)
    longer = {**body, "deadline_seconds": 7201}
    with pytest.raises(IdempotencyConflict):
        request_job(services, longer, by=a_caller("ada"), idempotency_key="k-1")


def test_a_name_is_unique_in_its_project(services: Services) -> None:
    body = {"provider": "toy", "name": "nightly"}
    first, _ = request_job(services, body, by=a_caller("ada"), idempotency_key="k-1")
    with pytest.raises(HoldTaken) as refusal:
        request_job(services, body, by=a_caller("ada"), idempotency_key="k-2")
    assert refusal.value.holder == first.id
    repeated, is_new = request_job(services, body, by=a_caller("ada"), idempotency_key="k-1")
    assert (repeated.id, is_new) == (first.id, False)
    request_job(services, body | {"project": "other"}, by=a_caller("ada"))


def test_a_busy_dataset_is_refused_or_waited_for(store: SqliteStore, service: ToyService) -> None:
    services = a_trainbell(store, service, spec={"one_active_per_dataset": True})
    body = {"provider": "toy", "parameters": {"dataset": "faces"}}
    first, _ = request_job(services, body, by=a_caller("ada"), idempotency_key="k-1")
    with pytest.raises(HoldTaken):
        request_job(services, body, by=a_caller("ada"))
    assert request_job(services, body, by=a_caller("ada"), idempotency_key="k-1")[0].id == first.id
    second, _ = request_job(services, body | {"when_busy": "wait"}, by=a_caller("ada"))

    assert advance_job(services, first.id).job.handle is not None
    assert advance_job(services, second.id).job.state is State.WAITING
    service.set_all("completed")
    service.clock.advance(60)
    assert advance_job(services, first.id).job.state is State.SUCCEEDED
    service.clock.advance(60)
    assert advance_job(services, second.id).job.handle is not None
    assert len(service.trainings) == 2


def test_slots_of_a_connection_are_never_exceeded(store: SqliteStore, service: ToyService) -> None:
    services = a_trainbell(store, service)
    store.put_config(Connection(name="narrow", provider="toy", max_active=2, created_at=NOON))
    body = {"provider": "toy", "connection": "narrow", "when_busy": "wait"}
    ids = [request_job(services, body, by=a_caller("ada"))[0].id for _ in range(5)]
    most = 0
    for _ in range(60):
        for each_id in ids:
            advance_job(services, each_id)
        active = [each for each in service.trainings if each.status != "completed"]
        most = max(most, len(active))
        for each in active[:1]:
            each.status = "completed"
        service.clock.advance(600)
    assert most == 2
    assert [store.get(each_id).state for each_id in ids] == [State.SUCCEEDED] * 5


class CountedReads:
    """A store that counts what is read of it."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.reads: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        if name in ("get", "find_by_hold", "free_slot"):
            self.reads[name] += 1
        return getattr(self._store, name)


def test_a_start_looks_once_for_a_slot_of_a_thousand(
    store: SqliteStore, service: ToyService
) -> None:
    taken = tuple(slot_hold("wide", number) for number in range(1000))
    holder, _ = store.create(Change(job=a_job(id="01holder"), take=taken))
    store.put_config(Connection(name="wide", provider="toy", max_active=1000, created_at=NOON))
    counted = CountedReads(store)
    services = a_trainbell(counted, service)
    body = {"provider": "toy", "connection": "wide", "when_busy": "wait"}
    job, _ = request_job(services, body, by=a_caller("ada"))
    counted.reads.clear()
    assert advance_job(services, job.id).job.state is State.WAITING
    assert counted.reads["find_by_hold"] == 0
    assert counted.reads["free_slot"] == 1
    assert sum(counted.reads.values()) <= 4
    store.save(Change(job=holder, release=("slot:wide:777",)))
    service.clock.advance(600)
    assert advance_job(services, job.id).job.handle is not None
    assert store.find_by_hold("slot:wide:777") == job.id


def test_a_watcher_that_cannot_be_started_leaves_the_job_to_the_reconciler(
    store: SqliteStore, service: ToyService
) -> None:
    from trainbell.use_cases.jobs.reconcile_jobs import reconcile_jobs

    class Down(WatchCalls):
        def watch(self, job: Any) -> None:
            raise ConnectionError("no engine")

    job, is_new = request_job(
        a_trainbell(store, service, watchers=Down()), {"provider": "toy"}, by=a_caller("ada")
    )
    assert is_new
    services = a_trainbell(store, service)
    assert reconcile_jobs(services).rewatched == 0
    service.clock.advance(121)
    assert reconcile_jobs(services).rewatched == 1
    assert isinstance(services.watchers, WatchCalls)
    assert [(each.id, each.watch.number) for each in services.watchers.jobs] == [(job.id, 1)]
