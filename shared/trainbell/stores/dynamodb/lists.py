"""Lists of jobs: the narrowest index finds the ids, the table itself gives the bodies.

An index lags a moment behind the table, so each body is checked against the query once more:
what is shown is true, and what was written a moment ago may be missing until the index has it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trainbell.domain.job import Job
from trainbell.ports import JobQuery, Page, RecordKind
from trainbell.stores.cursors import read_text_cursor, write_cursor
from trainbell.stores.dynamodb.calls import Item, Table, placeholders, text
from trainbell.stores.dynamodb.items import job_of
from trainbell.stores.dynamodb.quarantine import readable
from trainbell.stores.dynamodb.table import (
    BY_MODEL,
    BY_PROJECT,
    BY_PROVIDER,
    BY_STATE,
    CREATED,
    LIST_KEYS,
    PK,
    job_key,
    listed_under,
    stamp,
)

FILTERED_PAGE = 1000
"""Index items that a query looks through at once where a filter drops some of them."""

_BEFORE_ALL = "0"
_AFTER_ALL = "~"
_AFTER_STAMP = "$"
"""Sorts after the `#` that follows the time in a position, whatever the id."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A position that was reached in an index: a job's, or (id None) the end of a page."""

    position: str
    job_id: str | None


def list_jobs(
    table: Table, query: JobQuery, *, page_size: int = FILTERED_PAGE, max_pages: int = 32
) -> Page[Job]:
    """Newest first. After `max_pages` it answers with what it has and a cursor to go on from.

    Raises InputInvalid for a cursor of another list.
    """
    scope = _scope(query)
    bounds = _bounds(
        query, read_text_cursor(query.cursor, scope) if query.cursor is not None else None
    )
    if bounds[0] >= bounds[1]:
        return Page(())
    queries = (
        _index_query(query, index, value, bounds, page_size) for index, value in _partitions(query)
    )
    streams = [_positions(table, arguments, bounds[1]) for arguments in queries]
    steps = _distinct(heapq.merge(*streams, key=lambda step: step.position, reverse=True))
    jobs: list[Job] = []
    unreadable: list[str] = []
    pages, position = 0, ""
    while len(jobs) < query.limit:
        batch = _batch(steps, query.limit - len(jobs), max_pages - pages)
        if not batch:
            return Page(tuple(jobs), unreadable=tuple(unreadable))
        found, bad = _bodies(table, query, [step.job_id for step in batch if step.job_id])
        jobs += found
        unreadable += bad
        position = batch[-1].position
        pages += sum(step.job_id is None for step in batch)
        if pages >= max_pages:
            break
    more = any(step.job_id or page >= max_pages for page, step in enumerate(steps, pages))
    cursor = write_cursor(scope, (position,)) if more else None
    return Page(tuple(jobs), cursor, tuple(unreadable))


def _batch(steps: Iterable[_Step], jobs: int, pages: int) -> Sequence[_Step]:
    """The next steps: at most so many jobs, at most so many ends of a page."""
    batch: list[_Step] = []
    for step in steps:
        batch.append(step)
        if step.job_id is None:
            pages -= 1
        else:
            jobs -= 1
        if not jobs or not pages:
            break
    return batch


def _distinct(steps: Iterable[_Step]) -> Iterator[_Step]:
    """A job that changes its state between two queries is found in both: count it once."""
    last = None
    for step in steps:
        if step.job_id is None or step.job_id != last:
            yield step
        last = step.job_id or last


def _partitions(query: JobQuery) -> Sequence[tuple[str, str]]:
    """Index and partition of each stream. Several states are as many streams, merged by time."""
    if query.states:
        return [(BY_STATE, listed_under(query.project, state)) for state in sorted(query.states)]
    if query.model is not None:
        return [(BY_MODEL, listed_under(query.project, query.model))]
    if query.provider is not None:
        return [(BY_PROVIDER, listed_under(query.project, query.provider))]
    return [(BY_PROJECT, query.project)]


def _bounds(query: JobQuery, position: str | None) -> tuple[str, str]:
    """The positions between which to look, both excluded."""
    low = stamp(query.created_after) + _AFTER_STAMP if query.created_after else _BEFORE_ALL
    high = stamp(query.created_before) if query.created_before else _AFTER_ALL
    return low, min(high, position) if position is not None else high


def _positions(table: Table, arguments: Mapping[str, Any], high: str) -> Iterator[_Step]:
    start: Item | None = None
    while True:
        more = {"ExclusiveStartKey": start} if start else {}
        items, start = table.query(**arguments, **more)
        for item in items:
            position = item[CREATED]["S"]
            if position < high:
                yield _Step(position, position.partition("#")[2])
        if start is None:
            return
        yield _Step(start[CREATED]["S"], None)


def _index_query(
    query: JobQuery, index: str, value: str, bounds: tuple[str, str], page_size: int
) -> dict[str, Any]:
    where = f"#{LIST_KEYS[index]} = :value AND #{CREATED} BETWEEN :low AND :high"
    values = {"value": text(value), "low": text(bounds[0]), "high": text(bounds[1])}
    keep, kept_values, names = _filters(query, index)
    arguments: dict[str, Any] = {
        "IndexName": index,
        "KeyConditionExpression": where,
        "ProjectionExpression": f"#pk, #{CREATED}",
        "ScanIndexForward": False,
        # One more than the page, and the cursor's own job, which is excluded here.
        "Limit": page_size if keep else query.limit + 2,
        **placeholders(f"#pk {where} {keep}", values | kept_values, names),
    }
    return arguments | ({"FilterExpression": keep} if keep else {})


def _filters(query: JobQuery, index: str) -> tuple[str, dict[str, Item], dict[str, str]]:
    """What the index carries and its key does not already say."""
    terms, values, names = [], {}, {}
    answered = {BY_MODEL: "model", BY_PROVIDER: "provider"}.get(index)
    for attribute in ("provider", "kind", "model", "dataset"):
        wanted = getattr(query, attribute)
        if wanted is not None and attribute != answered:
            terms.append(f"#{attribute} = :{attribute}")
            values[attribute] = text(wanted)
    if query.tag is not None:
        names["tag"], tag_value = query.tag
        if tag_value is None:
            terms.append("attribute_exists(#tags.#tag)")
        else:
            terms.append("#tags.#tag = :tag")
            values["tag"] = text(tag_value)
    return " AND ".join(terms), values, names


def _bodies(
    table: Table, query: JobQuery, job_ids: Sequence[str]
) -> tuple[Sequence[Job], Sequence[str]]:
    """The jobs in this order, and the ids of those that cannot be read."""
    items = table.batch_get([job_key(job_id) for job_id in job_ids], consistent=True)
    read, bad = readable(table, RecordKind.JOB, items, job_of)
    jobs = {job.id: job for job in read}
    found = [jobs[job_id] for job_id in job_ids if job_id in jobs]
    shown = [job for job in found if not query.states or job.state in query.states]
    return shown, [item[PK]["S"].removeprefix("job#") for item in bad]


def _scope(query: JobQuery) -> str:
    return repr([sorted(query.states), replace(query, states=frozenset(), limit=0, cursor=None)])
