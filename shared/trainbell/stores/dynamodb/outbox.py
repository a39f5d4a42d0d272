"""What is still to be told, and the record of what was, in DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from trainbell.domain.outbox import DeliveryState, OutboxEntry
from trainbell.errors import JobConflict, RecordUnreadable
from trainbell.ports import RecordKind
from trainbell.stores.dynamodb import due as due_index
from trainbell.stores.dynamodb.calls import (
    MAX_TRANSACTION_PARTS,
    Item,
    Table,
    condition,
    key_of,
    number,
    placeholders,
    text,
)
from trainbell.stores.dynamodb.errors import ConditionFailed
from trainbell.stores.dynamodb.items import entry_item, entry_of
from trainbell.stores.dynamodb.quarantine import read_or_set_aside, readable
from trainbell.stores.dynamodb.table import OUTBOX_PREFIX, OUTBOX_SHARDS, PK, job_key, stamp
from trainbell.stores.dynamodb.writes import (
    claimed,
    new_entry,
    removed_entry,
    still_claimed,
    write,
)

_ADDED_AT_ONCE = MAX_TRANSACTION_PARTS - 1


class DynamoDBOutbox:
    """See `ports.OutboxStore` for what is promised.

    Due entries are found in an index, which lags a moment behind; a claim is conditional on the
    entry itself, so nobody gets what another has. `deliveries` is read strongly consistent.
    """

    _table: Table

    def claim_outbox(
        self, now: datetime, lease_seconds: float, limit: int
    ) -> Sequence[OutboxEntry]:
        lease_end = now + timedelta(seconds=lease_seconds)
        found = due_index.due_items(self._table, OUTBOX_SHARDS, now, limit)
        entries = (self._claim(key_of(item), now, lease_end) for item in found)
        return [entry for entry in entries if entry is not None]

    def settle_outbox(self, entry: OutboxEntry, *, replaced_by: Sequence[OutboxEntry] = ()) -> bool:
        if replaced_by or entry.channel is None:
            return self._replace(entry, replaced_by)
        try:
            self._table.put(entry_item(entry), claimed(entry))
        except ConditionFailed:
            return False
        return True

    def next_outbox_due_at(self) -> datetime | None:
        return due_index.next_due_at(self._table, OUTBOX_SHARDS)

    def pending(self, channel: str, limit: int) -> Sequence[OutboxEntry]:
        found = due_index.all_items(self._table, OUTBOX_SHARDS)
        items = self._table.batch_get([key_of(item) for item in found], consistent=True)
        read, _ = readable(self._table, RecordKind.OUTBOX_ENTRY, items, entry_of)
        entries = [
            entry
            for entry in read
            if entry.channel == channel and entry.state is DeliveryState.PENDING
        ]
        return sorted(entries, key=lambda entry: (entry.created_at, entry.id))[:limit]

    def requeue(self, entry: OutboxEntry) -> bool:
        done = condition("attribute_exists(#pk) AND attribute_not_exists(#due_shard)")
        try:
            self._table.put(entry_item(entry), done)
        except ConditionFailed:
            return False
        return True

    def untold(self, job_id: str) -> int:
        """What cannot be read may have to be told yet."""
        entries, unreadable = self._entries(job_id)
        pending = [entry for entry in entries if entry.state is DeliveryState.PENDING]
        return len(pending) + len(unreadable)

    def deliveries(self, job_id: str) -> Sequence[OutboxEntry]:
        entries, _ = self._entries(job_id)
        routed = [entry for entry in entries if entry.channel is not None]
        return sorted(routed, key=lambda entry: (entry.created_at, entry.id))

    def entries(self, job_id: str) -> Sequence[OutboxEntry]:
        return sorted(self._entries(job_id)[0], key=lambda entry: entry.id)

    def _entries(self, job_id: str) -> tuple[Sequence[OutboxEntry], Sequence[Item]]:
        where = "#pk = :pk AND begins_with(#sk, :prefix)"
        values = {"pk": job_key(job_id)[PK], "prefix": text(OUTBOX_PREFIX)}
        items = self._table.query_all(
            KeyConditionExpression=where, ConsistentRead=True, **placeholders(where, values)
        )
        return readable(self._table, RecordKind.OUTBOX_ENTRY, items, entry_of)

    def _claim(self, key: Item, now: datetime, lease_end: datetime) -> OutboxEntry | None:
        try:
            item = self._table.update(
                key,
                "SET #due_at = :lease_end ADD #claim :one",
                "attribute_exists(#due_shard) AND #due_at <= :now",
                now=text(stamp(now)),
                lease_end=text(stamp(lease_end)),
                one=number(1),
            )
            return read_or_set_aside(self._table, RecordKind.OUTBOX_ENTRY, item, entry_of)
        except (ConditionFailed, RecordUnreadable):
            return None

    def _replace(self, entry: OutboxEntry, replaced_by: Sequence[OutboxEntry]) -> bool:
        added = [new_entry(one) for one in replaced_by]
        try:
            # More than a transaction takes: the removal comes last, so that nothing is lost. What
            # a repeat then finds is left alone.
            while len(added) > _ADDED_AT_ONCE:
                write(self._table, [still_claimed(entry), *added[:_ADDED_AT_ONCE]])
                del added[:_ADDED_AT_ONCE]
            write(self._table, [removed_entry(entry), *added])
        except JobConflict:
            return False
        return True
