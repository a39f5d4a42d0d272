"""Listing jobs: every filter and stable cursors, over 10,000 jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest

from tests.builders import NOON
from tests.contract.store_builders import after, job_number, stored
from tests.contract.store_factories import FACTORIES
from trainbell.domain.job import Job, State
from trainbell.errors import InputInvalid
from trainbell.ports import Change, JobQuery, Store

JOBS = 10_000
ENDED = State.FAILED


def one_of_many(number: int) -> Job:
    """Ten jobs a second; a tenth in another project; some values common, some rare."""
    return job_number(
        number,
        created_at=after(number // 10),
        project="vision" if number % 10 == 7 else "default",
        state=list(State)[number % 11],
        provider=f"provider-{number % 20}",
        kind="test" if number % 50 == 0 else "train",
        model=f"model-{number % 70}" if number % 2 else None,
        dataset=f"dataset-{number % 90}" if number % 3 else None,
        tags={"team": f"team-{number % 40}"} if number % 25 == 0 else {},
    )


@dataclass(frozen=True)
class Filled:
    store: Store
    jobs: tuple[Job, ...]


@pytest.fixture(scope="module", params=FACTORIES)
def filled(request: pytest.FixtureRequest) -> Iterator[Filled]:
    """A store with 10,000 jobs that the tests here only read."""
    jobs = tuple(one_of_many(number) for number in range(JOBS))
    with FACTORIES[request.param].filled(jobs) as store:
        yield Filled(store, tuple(replace(job, revision=1) for job in jobs))


def read_all(store: Store, query: JobQuery) -> list[Job]:
    """Every page of it. Pages are full but for the last."""
    found: list[Job] = []
    while True:
        page = store.list(query)
        found.extend(page.items)
        if page.next_cursor is None:
            return found
        assert len(page.items) == query.limit
        query = replace(query, cursor=page.next_cursor)


def newest_first(jobs: list[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: (job.created_at, job.id), reverse=True)


FILTERS: list[tuple[dict[str, Any], Callable[[Job], bool]]] = [
    ({"states": frozenset({ENDED})}, lambda job: job.state is ENDED),
    (
        {"states": frozenset({State.LOST, State.WAITING, State.QUEUED})},
        lambda job: job.state in {State.LOST, State.WAITING, State.QUEUED},
    ),
    ({"provider": "provider-3"}, lambda job: job.provider == "provider-3"),
    ({"kind": "test"}, lambda job: job.kind == "test"),
    ({"model": "model-5"}, lambda job: job.model == "model-5"),
    ({"dataset": "dataset-4"}, lambda job: job.dataset == "dataset-4"),
    ({"tag": ("team", "team-0")}, lambda job: job.tags.get("team") == "team-0"),
    ({"tag": ("team", None)}, lambda job: "team" in job.tags),
    ({"created_after": after(950)}, lambda job: job.created_at > after(950)),
    ({"created_before": after(50)}, lambda job: job.created_at < after(50)),
    (
        {"created_after": after(500), "created_before": after(510)},
        lambda job: after(500) < job.created_at < after(510),
    ),
    (
        {
            "states": frozenset({ENDED, State.RUNNING}),
            "provider": "provider-3",
            "kind": "train",
            "created_after": after(100),
        },
        lambda job: (
            job.state in {ENDED, State.RUNNING}
            and job.provider == "provider-3"
            and job.created_at > after(100)
        ),
    ),
    (
        {"model": "model-5", "dataset": "dataset-65", "created_before": after(900)},
        lambda job: (
            job.model == "model-5" and job.dataset == "dataset-65" and job.created_at < after(900)
        ),
    ),
    ({"project": "vision", "model": "model-7"}, lambda job: job.model == "model-7"),
    ({"provider": "nobody"}, lambda job: False),
    ({"project": "nowhere"}, lambda job: False),
]


@pytest.mark.parametrize(("filters", "belongs"), FILTERS, ids=lambda case: str(case)[:60])
def test_filter_finds_exactly_what_belongs(
    filled: Filled, filters: dict[str, Any], belongs: Callable[[Job], bool]
) -> None:
    query = JobQuery(**{"project": "default", "limit": 300, **filters})
    expected = [job for job in filled.jobs if job.project == query.project and belongs(job)]
    assert read_all(filled.store, query) == newest_first(expected)
    assert bool(expected) == (query.provider != "nobody" and query.project != "nowhere")


def test_all_pages_together_are_all_jobs(filled: Filled) -> None:
    found = read_all(filled.store, JobQuery(project="default", limit=1000))
    expected = [job for job in filled.jobs if job.project == "default"]
    assert found == newest_first(expected)


def test_small_pages_meet_without_gap_or_repeat(filled: Filled) -> None:
    query = JobQuery(project="default", provider="provider-3", created_before=after(200), limit=7)
    found = read_all(filled.store, query)
    assert len(found) == 100
    assert all((a.created_at, a.id) > (b.created_at, b.id) for a, b in pairwise(found))


def test_a_cursor_is_good_for_its_own_list_alone(filled: Filled) -> None:
    query = JobQuery(project="default", states=frozenset({ENDED}), limit=3)
    cursor = filled.store.list(query).next_cursor
    assert cursor is not None
    others = [
        replace(query, project="vision"),
        replace(query, states=frozenset({State.LOST})),
        replace(query, states=frozenset()),
        replace(query, provider="provider-3"),
        replace(query, tag=("team", None)),
        replace(query, created_before=NOON),
    ]
    for other in others:
        with pytest.raises(InputInvalid) as refusal:
            filled.store.list(replace(other, cursor=cursor))
        assert [problem.path for problem in refusal.value.problems] == ["cursor"]
    assert filled.store.list(replace(query, limit=9, cursor=cursor)).items


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
    ended = store.save(Change(job=replace(job, state=ENDED)))
    running = JobQuery(project="default", states=frozenset({State.RUNNING}))
    assert store.list(running).items == ()
    assert store.list(replace(running, states=frozenset({ENDED}))).items == (ended,)
