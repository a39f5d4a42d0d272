"""One stored record that cannot be read: the loop begins, the others are told, and it is shown."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api_clients import EmbeddedClient
from tests.builders import NOON, FakeClock, a_job, a_running_job
from tests.contract.spoiling import spoil_entry, spoil_job, spoil_setting
from tests.toy_service import ToyService, a_trainbell
from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.job import Job
from trainbell.domain.outbox import unrouted
from trainbell.domain.settings import Connection, Schedule
from trainbell.embedded.loop import Loop, LoopWatchers
from trainbell.ports import Change, RecordKind
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.reconcile_jobs import reconcile_jobs
from trainbell.use_cases.jobs.resume_starts import resume_starts
from trainbell.use_cases.telling.publish_changes import publish_changes

PATIENCE_SECONDS = 20.0


def a_watched_job(services: Services, number: int) -> Job:
    job = a_running_job(id=f"01job{number:021d}", provider="toy", connection="toy")
    return services.store.create(Change(job=job))[0]


def test_the_loop_begins_and_watches_the_others(services: Services, service: ToyService) -> None:
    bad, good = a_watched_job(services, 1), a_watched_job(services, 2)
    spoil_job(services.store, bad.id)
    polled = threading.Event()
    service.on_poll = polled.set
    loop = Loop(services, LoopWatchers())
    loop.start()
    try:
        assert polled.wait(PATIENCE_SECONDS)
    finally:
        assert loop.stop(PATIENCE_SECONDS)
    assert services.store.get(good.id).watch.polls == 1
    assert services.store.unreadable() == {RecordKind.JOB: 1}


def test_starts_are_resumed_beside_it(services: Services) -> None:
    bad = a_watched_job(services, 1)
    spoil_job(services.store, bad.id)
    assert resume_starts(services) == 0


def test_the_reconciler_counts_it_and_looks_after_the_others(
    services: Services, clock: FakeClock
) -> None:
    bad = a_watched_job(services, 1)
    a_watched_job(services, 2)
    spoil_job(services.store, bad.id)
    clock.advance(600)
    report = reconcile_jobs(services)
    assert (report.rewatched, report.failed, report.unreadable) == (1, 0, 1)


def test_nineteen_of_twenty_are_told_at_once_where_one_cannot_be_read(
    services: Services,
) -> None:
    store = services.store
    entries = []
    for number in range(20):
        job = a_job(id=f"01job{number:021d}")
        told = JobEvent(
            job_id=job.id, sequence=1, type=EventType.JOB_FINISHED, at=NOON, state=job.state
        )
        entries.append(unrouted(told, "default"))
        store.create(Change(job=job, outbox=(entries[-1],)))
    spoil_entry(store, entries[0].event.job_id, entries[0].id)
    report = publish_changes(services)
    assert (report.routed, report.delivered) == (19, 19)
    assert store.unreadable() == {RecordKind.OUTBOX_ENTRY: 1}


def test_a_delivery_whose_job_cannot_be_read_waits_and_holds_up_no_other(
    services: Services,
) -> None:
    store = services.store
    for number in (1, 2):
        job = a_job(id=f"01job{number:021d}")
        told = JobEvent(
            job_id=job.id, sequence=1, type=EventType.JOB_FINISHED, at=NOON, state=job.state
        )
        store.create(Change(job=job, outbox=(unrouted(told, "default"),)))
    spoil_job(store, "01job" + f"{1:021d}")
    report = publish_changes(services)
    assert (report.delivered, report.postponed, report.given_up) == (1, 1, 0)


@pytest.mark.parametrize("kind", [Connection, Schedule])
def test_a_person_mends_a_setting_by_putting_it(
    api: EmbeddedClient, kind: type[Connection | Schedule]
) -> None:
    path = f"/v1/{kind.__name__.lower()}s/lab"
    bodies: dict[type[Any], dict[str, Any]] = {
        Connection: {"provider": "toy", "secret": "env:TOY_KEY"},
        Schedule: {"expression": "rate(1 hour)", "job": {"provider": "toy"}},
    }
    api.call("PUT", path, bodies[kind])
    spoil_setting(api.services.store, kind, "lab")
    assert api.call("GET", path).status == 500
    assert api.call("GET", f"/v1/{kind.__name__.lower()}s").json()["unreadable"] == ["lab"]
    assert api.call("PUT", path, bodies[kind], headers={"If-Match": "*"}).status == 412
    assert api.call("PUT", path, bodies[kind]).status == 200
    assert api.call("GET", path).status == 200
    assert api.call("GET", "/v1/health").json()["unreadable"] == {}


@pytest.fixture
def api(tmp_path: Path) -> EmbeddedClient:
    store = SqliteStore(tmp_path / "shown.sqlite3")
    return EmbeddedClient(a_trainbell(store, ToyService(FakeClock())))


def test_the_api_says_what_cannot_be_read(api: EmbeddedClient) -> None:
    services = api.services
    assert api.call("GET", "/v1/health").json()["unreadable"] == {}
    later = NOON + timedelta(seconds=1)
    good, _ = services.store.create(Change(job=a_job(id="1" * 26)))
    bad, _ = services.store.create(Change(job=a_job(id="2" * 26, created_at=later)))
    spoil_job(services.store, bad.id)
    page = api.call("GET", "/v1/jobs").json()
    assert [job["id"] for job in page["items"]] == [good.id]
    assert page["unreadable"] == [bad.id]
    refused = api.call("GET", f"/v1/jobs/{bad.id}")
    assert (refused.status, refused.json()["type"]) == (500, "urn:trainbell:record-unreadable")
    assert bad.id in refused.json()["detail"]
    assert api.call("GET", "/v1/health").json()["unreadable"] == {"job": 1}
    services.store.close()
