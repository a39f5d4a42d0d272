"""Listing jobs over 10,000 of them: every filter, in order, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.builders import NOON
from tests.contract.store_builders import after, job_number
from tests.contract.store_factories import FACTORIES
from trainbell.domain.job import Job, State
from trainbell.errors import InputInvalid
from trainbell.ports import JobQuery, Store

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
        kind="test" if number % 5 == 0 else "train",
        model=f"model-{number % 30}" if number % 2 else None,
        dataset="rare" if number % 4000 == 1 else f"dataset-{number % 9}" if number % 3 else None,
        tags={"team": f"team-{number % 8}"} if number % 4 == 0 else {},
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


def read_pages(store: Store, query: JobQuery, at_least: int) -> list[Job]:
    """Page after page, until so many jobs are found or the list ends."""
    found: list[Job] = []
    while True:
        page = store.list(query)
        assert len(page.items) <= query.limit
        found.extend(page.items)
        if page.next_cursor is None or len(found) >= at_least:
            return found
        query = replace(query, cursor=page.next_cursor)


def newest_first(jobs: list[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: (job.created_at, job.id), reverse=True)


FILTERS: list[tuple[dict[str, Any], Callable[[Job], bool]]] = [
    ({}, lambda job: True),
    ({"states": frozenset({ENDED})}, lambda job: job.state is ENDED),
    (
        {"states": frozenset({State.LOST, State.WAITING, State.QUEUED})},
        lambda job: job.state in {State.LOST, State.WAITING, State.QUEUED},
    ),
    ({"provider": "provider-3"}, lambda job: job.order.provider == "provider-3"),
    ({"kind": "test"}, lambda job: job.order.kind == "test"),
    ({"model": "model-5"}, lambda job: job.order.model == "model-5"),
    ({"dataset": "dataset-4"}, lambda job: job.order.dataset == "dataset-4"),
    ({"dataset": "rare"}, lambda job: job.order.dataset == "rare"),
    ({"tag": ("team", "team-0")}, lambda job: job.order.tags.get("team") == "team-0"),
    ({"tag": ("team", None)}, lambda job: "team" in job.order.tags),
    ({"created_after": after(995)}, lambda job: job.created_at > after(995)),
    ({"created_before": after(3)}, lambda job: job.created_at < after(3)),
    (
        {"created_after": after(500), "created_before": after(504)},
        lambda job: after(500) < job.created_at < after(504),
    ),
    (
        {
            "states": frozenset({ENDED, State.RUNNING}),
            "provider": "provider-3",
            "kind": "train",
            "created_after": after(800),
        },
        lambda job: (
            job.state in {ENDED, State.RUNNING}
            and job.order.provider == "provider-3"
            and job.created_at > after(800)
        ),
    ),
    (
        {"model": "model-5", "dataset": "dataset-5", "created_before": after(900)},
        lambda job: (
            job.order.model == "model-5"
            and job.order.dataset == "dataset-5"
            and job.created_at < after(900)
        ),
    ),
    ({"project": "vision", "model": "model-7"}, lambda job: job.order.model == "model-7"),
]


@pytest.mark.parametrize(
    ("filters", "belongs"), FILTERS, ids=["+".join(filters) or "none" for filters, _ in FILTERS]
)
def test_filter_finds_exactly_what_belongs(
    filled: Filled, filters: dict[str, Any], belongs: Callable[[Job], bool]
) -> None:
    query = JobQuery(**{"project": "default", "limit": 25, **filters})
    expected = [job for job in filled.jobs if job.order.project == query.project and belongs(job)]
    assert expected
    found = read_pages(filled.store, query, 75)
    assert found == newest_first(expected)[: len(found)]
    assert len(found) >= min(75, len(expected))


@pytest.mark.parametrize("filters", [{"provider": "nobody"}, {"project": "nowhere"}])
def test_filter_that_nothing_fits_finds_nothing(filled: Filled, filters: dict[str, Any]) -> None:
    page = filled.store.list(JobQuery(**{"project": "default", **filters}))
    assert (page.items, page.next_cursor) == ((), None)


def test_all_pages_together_are_all_jobs(filled: Filled) -> None:
    found = read_pages(filled.store, JobQuery(project="vision", limit=100), JOBS)
    assert found == newest_first([job for job in filled.jobs if job.order.project == "vision"])
    assert len(found) == 1000


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
