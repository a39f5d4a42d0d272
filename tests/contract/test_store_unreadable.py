"""One record that cannot be read: set aside, kept, counted, shown; and nothing else suffers."""

from __future__ import annotations

import logging

import pytest

from tests.builders import NOON, a_connection
from tests.contract.spoiling import (
    mend_entry,
    mend_job,
    spoil_entry,
    spoil_event,
    spoil_job,
    spoil_setting,
)
from tests.contract.store_builders import (
    a_delivery,
    after,
    an_entry,
    an_event,
    job_number,
    stored,
)
from trainbell.domain.job import State
from trainbell.domain.settings import Connection
from trainbell.errors import RecordUnreadable
from trainbell.ports import Change, JobQuery, RecordKind, Store

LEASE = 60.0
ALL = JobQuery(project="default")


def test_an_unreadable_entry_holds_up_no_other(store: Store) -> None:
    for number in range(1, 21):
        job = job_number(number)
        store.create(Change(job=job, outbox=(an_entry(job, at=after(number)),)))
    bad = an_entry(job_number(1)).id
    spoil_entry(store, job_number(1).id, bad)
    told = store.claim_outbox(after(60), LEASE, 100)
    assert len(told) == 19
    for entry in told:
        assert store.settle_outbox(entry, replaced_by=[])
    assert store.next_outbox_due_at() is None
    assert list(store.claim_outbox(after(3600), LEASE, 100)) == []
    assert store.unreadable() == {RecordKind.OUTBOX_ENTRY: 1}


def test_an_unreadable_delivery_is_left_out_of_the_record(store: Store) -> None:
    job = job_number(1)
    good, bad = a_delivery(job, 1), a_delivery(job, 2)
    store.create(Change(job=job, outbox=(good, bad)))
    spoil_entry(store, job.id, bad.id)
    assert [each.id for each in store.deliveries(job.id)] == [good.id]
    assert store.unreadable() == {RecordKind.OUTBOX_ENTRY: 1}


def test_an_unreadable_entry_counts_as_untold_and_waits_for_nobody(store: Store) -> None:
    job = job_number(1)
    good, bad = a_delivery(job, 1), a_delivery(job, 2)
    store.create(Change(job=job, outbox=(good, bad)))
    spoil_entry(store, job.id, bad.id)
    assert [each.id for each in store.pending("team", 10)] == [good.id]
    assert store.untold(job.id) == 2


def test_an_unreadable_job_is_refused_by_name_and_never_due_again(store: Store) -> None:
    good, bad = stored(store, 1), stored(store, 2)
    spoil_job(store, bad.id)
    with pytest.raises(RecordUnreadable, match=bad.id) as refusal:
        store.get(bad.id)
    assert "dreaming" not in str(refusal.value)  # What is stored may be secret.
    with pytest.raises(RecordUnreadable):
        store.get(bad.id)
    assert [due.id for due in store.due(after(1), 10)] == [good.id]
    assert [due.id for due in store.active("deepva", 10)] == [good.id]
    assert store.next_due_at() == NOON
    assert store.count_by_state() == {State.REQUESTED: 1}
    assert store.unreadable() == {RecordKind.JOB: 1}


def test_a_list_leaves_it_out_and_says_so(store: Store) -> None:
    good, bad = stored(store, 1), stored(store, 2)
    spoil_job(store, bad.id)
    page = store.list(ALL)
    assert page.items == (good,)
    assert page.unreadable == (bad.id,)
    assert page.next_cursor is None


def test_pages_go_on_beyond_it(store: Store) -> None:
    jobs = [stored(store, number, created_at=after(number)) for number in range(1, 6)]
    spoil_job(store, jobs[2].id)
    found: list[str] = []
    unreadable: list[str] = []
    cursor = None
    while True:
        page = store.list(JobQuery(project="default", limit=1, cursor=cursor))
        found += [job.id for job in page.items]
        unreadable += page.unreadable
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [jobs[n].id for n in (4, 3, 1, 0)]
    assert unreadable == [jobs[2].id]


def test_the_audit_trail_leaves_an_unreadable_event_out(store: Store) -> None:
    job = job_number(1)
    events = tuple(an_event(job, number) for number in (1, 2, 3))
    store.create(Change(job=job, events=events))
    spoil_event(store, job.id, 2)
    page = store.events(job.id, limit=10)
    assert [event.sequence for event in page.items] == [1, 3]
    assert len(page.unreadable) == 1


def test_an_unreadable_setting_hides_no_other(store: Store) -> None:
    for name in ("a", "b", "c"):
        store.put_config(a_connection(name=name))
    spoil_setting(store, Connection, "b")
    page = store.list_config(Connection)
    assert [each.name for each in page.items] == ["a", "c"]
    assert page.unreadable == ("b",)
    with pytest.raises(RecordUnreadable, match="b"):
        store.get_config(Connection, "b")
    assert store.unreadable() == {RecordKind.SETTING: 1}


def test_a_setting_is_mended_by_putting_it_anew(store: Store) -> None:
    store.put_config(a_connection(name="b"))
    spoil_setting(store, Connection, "b")
    with pytest.raises(RecordUnreadable):
        store.get_config(Connection, "b")
    store.put_config(a_connection(name="b", max_active=3))
    found = store.get_config(Connection, "b")
    assert found is not None
    assert found.max_active == 3
    assert store.unreadable() == {}


def test_it_is_said_once(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    bad = stored(store)
    spoil_job(store, bad.id)
    with caplog.at_level(logging.WARNING, "trainbell"):
        for _ in range(3):
            with pytest.raises(RecordUnreadable):
                store.get(bad.id)
        store.list(ALL)
    assert len([line for line in caplog.messages if bad.id in line]) == 1


def test_what_can_be_read_again_is_taken_back_as_it_was(store: Store) -> None:
    job = stored(store, 1, next_poll_at=after(30))
    entry = an_entry(job_number(2), at=after(40))
    store.create(Change(job=job_number(2, next_poll_at=None), outbox=(entry,)))
    bodies = spoil_job(store, job.id), spoil_entry(store, job_number(2).id, entry.id)
    with pytest.raises(RecordUnreadable):
        store.get(job.id)
    assert list(store.claim_outbox(after(41), LEASE, 10)) == []
    assert store.readmit() == 0
    assert store.unreadable() == {RecordKind.JOB: 1, RecordKind.OUTBOX_ENTRY: 1}
    mend_job(store, job.id, bodies[0])
    mend_entry(store, job_number(2).id, entry.id, bodies[1])
    assert store.readmit() == 2
    assert store.unreadable() == {}
    assert store.next_due_at() == after(30)
    assert store.get(job.id) == job
    (told,) = store.claim_outbox(after(41 + LEASE), LEASE, 10)
    assert told.id == entry.id
