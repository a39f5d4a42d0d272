"""What cannot be read in DynamoDB: moved within the index of due things to where nobody is due.

The record itself stays as it is. Its `due_shard` names the quarantine, which is how it is found
and counted without a Scan; its `due_at` stays, and an ordinary write puts both right again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TypeVar

from trainbell.errors import RecordUnreadable, StoreError
from trainbell.ports import RecordKind
from trainbell.stores.dynamodb.calls import Item, Table, condition, key_of, placeholders, text
from trainbell.stores.dynamodb.errors import ConditionFailed
from trainbell.stores.dynamodb.items import entry_item, entry_of, job_item, job_of
from trainbell.stores.dynamodb.table import ASIDE_SHARDS, DUE, NEVER, PK, SK

Read = TypeVar("Read")

READMITTED_AT_MOST = 1000

log = logging.getLogger("trainbell.stores")

_AS_IT_WAS: Mapping[RecordKind, Callable[[Item], Item]] = {
    RecordKind.JOB: lambda item: job_item(job_of(item)),
    RecordKind.OUTBOX_ENTRY: lambda item: entry_item(entry_of(item)),
}


class DynamoDBQuarantine:
    """See `ports.Store` for what is promised. Counts come from an index, which lags a moment."""

    _table: Table

    def unreadable(self) -> Mapping[RecordKind, int]:
        counts = {kind: sum(1 for _ in _set_aside(self._table, kind)) for kind in RecordKind}
        return {kind: count for kind, count in counts.items() if count}

    def readmit(self) -> int:
        """Jobs and entries; a setting is taken back when it is put anew."""
        return sum(
            _readmit(self._table, kind, key)
            for kind in _AS_IT_WAS
            for key in islice(_set_aside(self._table, kind), READMITTED_AT_MOST)
        )


def read_or_set_aside(
    table: Table, kind: RecordKind, item: Item, read: Callable[[Item], Read]
) -> Read:
    """Raises RecordUnreadable, having set the record aside."""
    try:
        return read(item)
    except RecordUnreadable as error:
        set_aside(table, kind, item, error)
        raise


def readable(
    table: Table, kind: RecordKind, items: Iterable[Item], read: Callable[[Item], Read]
) -> tuple[list[Read], list[Item]]:
    """What can be read of these, and the items of those that were set aside."""
    good, bad = [], []
    for item in items:
        try:
            good.append(read_or_set_aside(table, kind, item, read))
        except RecordUnreadable:
            bad.append(item)
    return good, bad


def set_aside(table: Table, kind: RecordKind, item: Item, error: RecordUnreadable) -> None:
    """A table that cannot be written leaves it where it is; whoever meets it next tries again."""
    try:
        table.update(
            key_of(item),
            "SET #due_shard = :aside, #due_at = if_not_exists(#due_at, :never)",
            "attribute_exists(#pk) AND (attribute_not_exists(#due_shard) OR #due_shard <> :aside)",
            aside=text(ASIDE_SHARDS[kind]),
            never=text(NEVER),
        )
    except ConditionFailed:
        return
    except StoreError as exc:
        log.warning("%s, nor set aside now: %s", error, exc)
        return
    log.error("%s; it is kept, set aside, and tried again later", error)


def _set_aside(table: Table, kind: RecordKind) -> Iterable[Item]:
    """The keys of what is set aside."""
    where = "#due_shard = :aside"
    found = table.query_all(
        IndexName=DUE,
        KeyConditionExpression=where,
        ProjectionExpression="#pk, #sk",
        **placeholders(f"{where} #pk #sk", {"aside": text(ASIDE_SHARDS[kind])}),
    )
    return map(key_of, found)


def _readmit(table: Table, kind: RecordKind, key: Item) -> bool:
    item = table.get(key)
    if item is None:
        return False
    try:
        whole = _AS_IT_WAS[kind](item)
        table.put(whole, condition("#body = :body", body=item["body"]))
    except (RecordUnreadable, ConditionFailed):
        return False
    log.warning("%s %s can be read again and is taken back", key[PK]["S"], key[SK]["S"])
    return True
