"""What is due: active jobs and pending outbox entries, in one sparse, sharded index.

The index lags a moment behind the table. Nothing rests on it: a job is saved under its revision
and an entry claimed under a condition on the item itself.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from trainbell.domain.job import State
from trainbell.stores.dynamodb.calls import Item, Table, placeholders, text
from trainbell.stores.dynamodb.table import DUE, DUE_AT, JOB_SHARDS, NEVER, parse_stamp, stamp


def due_items(table: Table, shards: Sequence[str], now: datetime, limit: int) -> Sequence[Item]:
    """Those that are due, the longest overdue first: one query for each shard."""
    pages = [_earliest(table, shard, stamp(now), limit) for shard in shards]
    merged = heapq.merge(*pages, key=lambda item: str(item[DUE_AT]["S"]))
    return list(islice(merged, limit))


def next_due_at(table: Table, shards: Sequence[str]) -> datetime | None:
    """When the first of them is due; None where nothing is."""
    first = [
        str(item[DUE_AT]["S"]) for shard in shards for item in _earliest(table, shard, NEVER, 1)
    ]
    moments = [moment for moment in first if moment != NEVER]
    return parse_stamp(min(moments)) if moments else None


def count_by_state(table: Table, project: str | None) -> Mapping[State, int]:
    """Active jobs; right but for the last moment's changes. Reads the whole (small) index."""
    where, shown = "#due_shard = :shard", "#state"
    values = {} if project is None else {"project": text(project)}
    keep = "" if project is None else "#project = :project"
    counts: Counter[State] = Counter()
    for shard in JOB_SHARDS:
        items = table.query_all(
            IndexName=DUE,
            KeyConditionExpression=where,
            ProjectionExpression=shown,
            **({"FilterExpression": keep} if keep else {}),
            **placeholders(f"{where} {shown} {keep}", {"shard": text(shard), **values}),
        )
        counts.update(State(item["state"]["S"]) for item in items)
    return {state: count for state, count in counts.items() if not state.is_end}


def all_items(table: Table, shards: Sequence[str]) -> Iterator[Item]:
    """All that is in the index, due or not; read page by page."""
    where = "#due_shard = :shard"
    for shard in shards:
        yield from table.query_all(
            IndexName=DUE,
            KeyConditionExpression=where,
            **placeholders(where, {"shard": text(shard)}),
        )


def active_items(table: Table, connection: str) -> Sequence[Item]:
    """Active jobs of a connection, those due last first. Reads the whole (small) index."""
    where, keep = "#due_shard = :shard", "#connection = :connection AND #state <> :lost"
    values = {"connection": text(connection), "lost": text(State.LOST)}
    found: list[Item] = []
    for shard in JOB_SHARDS:
        found += table.query_all(
            IndexName=DUE,
            KeyConditionExpression=where,
            FilterExpression=keep,
            **placeholders(f"{where} {keep}", {"shard": text(shard), **values}),
        )
    return sorted(found, key=lambda item: str(item[DUE_AT]["S"]), reverse=True)


def _earliest(table: Table, shard: str, until: str, limit: int) -> Sequence[Item]:
    where = "#due_shard = :shard AND #due_at <= :until"
    items, _ = table.query(
        IndexName=DUE,
        KeyConditionExpression=where,
        Limit=limit,
        **placeholders(where, {"shard": text(shard), "until": text(until)}),
    )
    return items
