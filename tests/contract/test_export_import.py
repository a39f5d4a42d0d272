"""Whatever a store holds comes out of it and goes into any other, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import NOON, FakeClock, a_caller, a_connection, a_job
from tests.contract.store_builders import an_event, job_number
from tests.contract.store_factories import FACTORIES
from tests.toy_service import ToyService, a_trainbell
from trainbell.domain.job import EndReason, Job, State
from trainbell.domain.outbox import OutboxEntry, delivered, routed, unrouted
from trainbell.domain.settings import Connection, Retention, Schedule
from trainbell.errors import Conflict
from trainbell.ports import Change, IdempotencyToken, JobQuery, Store
from trainbell.use_cases.care import export_records as exporting
from trainbell.use_cases.care.depart import depart, take_back
from trainbell.use_cases.care.export_records import export_records
from trainbell.use_cases.care.import_records import (
    Arrival,
    ImportOrder,
    ImportReport,
    OnDifference,
    import_records,
)
from trainbell.use_cases.care.records import Record
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.cancel_job import cancel_job
from trainbell.use_cases.jobs.forget_job import forget_job
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.telling.publish_changes import publish_changes

PAIRS = [("sqlite", "dynamodb"), ("dynamodb", "sqlite")]
BODY = {"provider": "toy", "parameters": {"epochs": 3}, "when_busy": "wait"}


@pytest.fixture
def service() -> ToyService:
    return ToyService(FakeClock())


@pytest.fixture(params=PAIRS, ids="-".join)
def two(request: pytest.FixtureRequest, service: ToyService) -> Iterator[tuple[Services, Services]]:
    """The old installation and the new one, which calls the same service."""
    with ExitStack() as stack:
        old, new = (stack.enter_context(FACTORIES[name].empty()) for name in request.param)
        yield a_trainbell(old, service), a_trainbell(new, service)


def everything(services: Services) -> list[Record]:
    records: list[Record] = []
    position = None
    while True:
        page = export_records(services, position)
        assert page.unreadable == []
        records += page.records
        position = page.next
        if position is None:
            return records


def take_in(
    services: Services, records: Sequence[Record], arrival: Arrival = Arrival.MOVED, **more: Any
) -> ImportReport:
    return import_records(services, ImportOrder(records=records, arrival=arrival, **more))


def started(services: Services, count: int) -> list[Job]:
    jobs = [
        request_job(services, {**BODY, "name": f"job-{n}"}, by=a_caller(), idempotency_key=f"k{n}")
        for n in range(count)
    ]
    return [advance_job(services, job.id).job for job, _ in jobs]


def test_what_has_moved_ends_there_and_is_started_nowhere_again(
    two: tuple[Services, Services], service: ToyService
) -> None:
    old, new = two
    jobs = started(old, 5)
    waiting, _ = request_job(old, BODY, by=a_caller())
    depart(old, by=a_caller())
    records = everything(old)
    report = take_in(new, records)
    assert (report.problems, report.same) == ([], 0)

    service.set_all("completed")
    service.clock.advance(600)
    for each in [*jobs, waiting]:
        assert advance_job(old, each.id).superseded
        advance_job(new, each.id)
    service.set_all("completed")
    service.clock.advance(900)
    ends = [advance_job(new, each.id).job for each in [*jobs, waiting]]
    assert {job.state for job in ends} == {State.SUCCEEDED}
    assert sorted(t.marker for t in service.trainings) == sorted(job.id for job in ends)
    assert all(not old.store.get(each.id).is_ended for each in jobs)
    # The same request again gives the job of then, and its name is taken.
    again, is_new = request_job(new, {**BODY, "name": "job-0"}, by=a_caller(), idempotency_key="k0")
    assert (again.id, is_new) == (jobs[0].id, False)


def test_a_second_import_changes_nothing(two: tuple[Services, Services]) -> None:
    old, new = two
    old.store.put_config(a_connection(name="lab", provider="toy"))
    jobs = started(old, 3)
    depart(old, by=a_caller())
    records = everything(old)
    take_in(new, records)
    publish_changes(new)
    for job in jobs:
        advance_job(new, job.id)
    before = [record.model_dump() for record in everything(new)]
    report = take_in(new, records)
    assert (report.problems, report.stored) == ([], 0)
    assert [record.model_dump() for record in everything(new)] == before


def test_a_start_in_flight_is_looked_up_where_it_has_moved_to(
    two: tuple[Services, Services], service: ToyService
) -> None:
    old, new = two
    job, _ = request_job(old, BODY, by=a_caller())
    taken: list[Record] = []

    def move_in_the_middle() -> None:
        depart(old, by=a_caller())
        taken.extend(everything(old))

    service.after_start = move_in_the_middle
    advance_job(old, job.id)
    assert old.store.get(job.id).handle is None
    take_in(new, taken)
    arrived = new.store.get(job.id)
    assert arrived.start_is_unclear
    assert arrived.watch.next_poll_at == arrived.start.lease_until
    service.clock.advance(61)
    service.set_all("completed")
    advance_job(new, job.id)
    service.clock.advance(900)
    assert advance_job(new, job.id).job.state is State.SUCCEEDED
    assert len(service.trainings) == 1


def test_a_copy_leaves_its_jobs_to_where_they_are(
    two: tuple[Services, Services], service: ToyService
) -> None:
    old, new = two
    [job] = started(old, 1)
    old.store.put_config(Schedule(name="nightly", expression="rate(1 days)", job=BODY))
    take_in(new, everything(old), Arrival.COPY)
    assert new.store.get(job.id).has_moved
    assert new.store.next_due_at() is None
    assert new.store.next_outbox_due_at() is None
    copied = new.store.get_config(Schedule, "nightly")
    assert copied is not None
    assert not copied.enabled
    service.set_all("completed")
    service.clock.advance(600)
    assert advance_job(old, job.id).job.state is State.SUCCEEDED
    with pytest.raises(Conflict, match="has moved"):
        cancel_job(new, job.id, by=a_caller())


def test_what_was_unsent_when_a_dead_installation_was_copied_is_looked_up_first(
    two: tuple[Services, Services], service: ToyService
) -> None:
    old, new = two
    job, _ = request_job(old, BODY, by=a_caller())
    copy = everything(old)
    advance_job(old, job.id)
    take_in(new, copy, Arrival.TAKE_OVER)
    service.clock.advance(30)
    assert advance_job(new, job.id).job.handle == {"id": "t1"}
    assert len(service.trainings) == 1


def test_a_copy_is_nobodys_to_give_away_and_can_be_taken_over_later(
    two: tuple[Services, Services], service: ToyService
) -> None:
    old, new = two
    unsent, _ = request_job(old, BODY, by=a_caller())
    records = everything(old)
    take_in(new, records, Arrival.COPY)
    depart(new, by=a_caller())
    take_back(new)
    assert new.store.get(unsent.id).watch.is_copy
    advance_job(old, unsent.id)
    take_in(new, records, Arrival.TAKE_OVER)
    service.clock.advance(30)
    assert advance_job(new, unsent.id).job.handle == {"id": "t1"}
    assert len(service.trainings) == 1


def test_a_copy_can_be_forgotten(two: tuple[Services, Services]) -> None:
    old, new = two
    [job] = started(old, 1)
    take_in(new, everything(old), Arrival.COPY)
    forget_job(new, job.id)
    depart(old, by=a_caller())
    assert take_in(new, everything(old)).problems == []
    assert not new.store.get(job.id).has_moved


def test_taken_back_is_as_before(two: tuple[Services, Services], service: ToyService) -> None:
    old, _ = two
    jobs = started(old, 3)
    depart(old, by=a_caller())
    everything(old)
    with pytest.raises(Conflict, match="have moved to another one"):
        request_job(old, BODY, by=a_caller())
    done = take_back(old)
    while done.next_project is not None:
        done = take_back(old, done.next_project, done.next_cursor)
    service.set_all("completed")
    service.clock.advance(600)
    assert {advance_job(old, job.id).job.state for job in jobs} == {State.SUCCEEDED}
    request_job(old, BODY, by=a_caller())


def test_differences_are_refused_all_at_once(two: tuple[Services, Services]) -> None:
    old, new = two
    for name in ("lab", "attic"):
        old.store.put_config(Retention(name=name, days=30))
        new.store.put_config(Retention(name=name, days=31))
    old.store.put_config(Retention(name="cellar", days=30))
    records = everything(old)
    report = take_in(new, records)
    assert len(report.problems) == 2
    assert new.store.get_config(Retention, "cellar") is None
    assert take_in(new, records, on_difference=OnDifference.KEEP).stored == 1
    assert take_in(new, records, on_difference=OnDifference.REPLACE).stored == 2
    assert new.store.get_config(Retention, "lab") == Retention(name="lab", days=30)


def test_a_job_that_went_on_in_both_places_is_refused(two: tuple[Services, Services]) -> None:
    old, new = two
    [job] = started(old, 1)
    take_in(new, everything(old), Arrival.TAKE_OVER)
    cancel_job(old, job.id, by=a_caller())
    report = take_in(new, everything(old), Arrival.TAKE_OVER)
    assert any("went on in both places" in each.message for each in report.problems)


def test_an_import_leads_no_secret_elsewhere(two: tuple[Services, Services]) -> None:
    """What a person could not save, an export cannot bring in."""
    old, new = two
    old.store.put_config(Connection(name="lab", provider="toy", options={"host": "evil.example"}))
    report = take_in(new, everything(old))
    assert report.problems
    assert new.store.get_config(Connection, "lab") is None


def test_small_pages_give_the_same(
    two: tuple[Services, Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _ = two
    started(old, 30)
    large = everything(old)
    monkeypatch.setattr(exporting, "PAGE_BYTES", 1)
    monkeypatch.setattr(exporting, "_EVENTS_AT_ONCE", 1)
    assert everything(old) == large


def test_an_import_that_is_cut_off_is_completed_by_a_repeat(
    two: tuple[Services, Services],
) -> None:
    old, new = two
    started(old, 3)
    depart(old, by=a_caller())
    records = everything(old)
    for end in range(0, len(records), 3):
        take_in(new, records[:end])
    take_in(new, records)
    for job in new.store.list(JobQuery(project="default")).items:
        assert [each.id for each in new.store.entries(job.id)] == [
            each.id for each in old.store.entries(job.id)
        ]
        assert new.store.tokens(job.id) == old.store.tokens(job.id)


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def ended_jobs(draw: Callable[[Any], Any]) -> tuple[Job, list[Any], list[OutboxEntry]]:
    number = draw(st.integers(1, 10**9))
    count = draw(st.integers(1, 5))
    job = a_job(
        id=f"{number:026d}",
        project=draw(st.sampled_from(["default", "vision", "Büro #1%"])),
        state=State.SUCCEEDED,
        end_reason=EndReason.COMPLETED,
        handle=draw(st.dictionaries(TEXT, JSON, max_size=2)),
        parameters=draw(st.dictionaries(TEXT, JSON, max_size=3)),
        tags=draw(st.dictionaries(TEXT, TEXT, max_size=2)),
        message=draw(st.none() | TEXT),
        next_poll_at=None,
        ended_at=NOON + timedelta(microseconds=draw(st.integers(0, 10**12))),
        event_count=count,
    )
    events = [
        an_event(job, n, data=draw(st.dictionaries(TEXT, JSON, max_size=2)))
        for n in range(1, count + 1)
    ]
    told = delivered(routed(unrouted(events[-1], job.order.project), "team", NOON), NOON)
    return job, events, [told]


@pytest.mark.parametrize(("source", "target"), PAIRS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found=st.lists(ended_jobs(), max_size=5, unique_by=lambda each: each[0].id))
def test_any_record_arrives_as_it_was(
    source: str, target: str, found: list[tuple[Job, list[Any], list[OutboxEntry]]]
) -> None:
    with FACTORIES[source].empty() as old, FACTORIES[target].empty() as new:
        for job, events, entries in found:
            old.create(Change(job=job, events=tuple(events), outbox=tuple(entries)))
        service = ToyService(FakeClock())
        records = everything(a_trainbell(old, service))
        assert take_in(a_trainbell(new, service), records).problems == []
        for job, events, entries in found:
            assert new.get(job.id) == replace(job, revision=1)
            assert list(new.events(job.id, limit=100).items) == events
            assert list(new.entries(job.id)) == entries
        assert list(new.projects()) == list(old.projects())


def test_tokens_are_found_from_their_job(store: Store) -> None:
    token = IdempotencyToken("default", "key-1", "f", NOON + timedelta(hours=8))
    job, _ = store.create(Change(job=job_number(1)), token)
    assert list(store.tokens(job.id)) == [token]
