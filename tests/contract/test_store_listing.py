"""Listing jobs: cursors that hold while jobs come, go and change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.store_builders import after, stored
from trainbell.domain.job import Job, State
from trainbell.errors import InputInvalid
from trainbell.ports import Change, JobQuery, Store

NO_CURSORS = ["", "x", "é", "W10", "e30", "bnVsbA", "A" * 5000, "%%%%", "W1tbW1tb"]


@pytest.mark.parametrize("cursor", NO_CURSORS, ids=lambda text: text[:8] or "empty")
def test_nonsense_is_no_cursor(store: Store, cursor: str) -> None:
    stored(store)
    with pytest.raises(InputInvalid) as refusal:
        store.list(JobQuery(project="default", cursor=cursor))
    assert [problem.path for problem in refusal.value.problems] == ["cursor"]


def test_jobs_created_between_pages_shift_nothing(store: Store) -> None:
    old = [stored(store, number, created_at=after(number)) for number in range(1, 10)]
    query = JobQuery(project="default", limit=3)
    found: list[Job] = []
    for number in range(10, 13):
        page = store.list(query)
        found.extend(page.items)
        stored(store, number, created_at=after(number))
        query = replace(query, cursor=page.next_cursor)
    assert found == old[::-1]
    assert query.cursor is None


def test_jobs_deleted_between_pages_shift_nothing(store: Store) -> None:
    old = [stored(store, number, created_at=after(number)) for number in range(1, 9)]
    page = store.list(JobQuery(project="default", limit=3))
    store.delete(old[5])  # where the cursor stands
    store.delete(old[3])
    rest = store.list(JobQuery(project="default", cursor=page.next_cursor))
    assert list(page.items) == [old[7], old[6], old[5]]
    assert list(rest.items) == [old[4], old[2], old[1], old[0]]
    assert rest.next_cursor is None


def test_the_state_filter_follows_the_job(store: Store) -> None:
    job = stored(store, state=State.RUNNING)
    ended = store.save(Change(job=replace(job, state=State.FAILED)))
    running = JobQuery(project="default", states=frozenset({State.RUNNING}))
    assert store.list(running).items == ()
    assert store.list(replace(running, states=frozenset({State.FAILED}))).items == (ended,)
