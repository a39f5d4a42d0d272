"""Connections, channels and schedules in DynamoDB: small documents by kind and name."""

from __future__ import annotations

from typing import cast

from trainbell.domain.settings import ConfigRecord
from trainbell.ports import Page, Record
from trainbell.stores.codec import dump_config, load_config
from trainbell.stores.cursors import read_text_cursor, write_cursor
from trainbell.stores.dynamodb.calls import Table, placeholders, text
from trainbell.stores.dynamodb.table import PK, SK, config_key


class DynamoDBConfig:
    """See `ports.ConfigStore` for what is promised. All reads are strongly consistent."""

    _table: Table

    def put_config(self, record: ConfigRecord) -> bool:
        key = config_key(_kind(type(record)), record.name)
        return not self._table.exchange({**key, "body": text(dump_config(record).decode())})

    def get_config(self, kind: type[Record], name: str) -> Record | None:
        item = self._table.get(config_key(_kind(kind), name))
        return None if item is None else cast("Record", load_config(kind, item["body"]["S"]))

    def list_config(
        self, kind: type[Record], *, limit: int = 100, cursor: str | None = None
    ) -> Page[Record]:
        scope = f"config {kind.__name__}"
        where, values = "#pk = :pk", {"pk": config_key(_kind(kind), "")[PK]}
        if cursor is not None:
            where += " AND #sk > :after"
            values["after"] = text(read_text_cursor(cursor, scope))
        items, _ = self._table.query(
            KeyConditionExpression=where,
            ConsistentRead=True,
            Limit=limit + 1,
            **placeholders(where, values),
        )
        shown = items[:limit]
        more = write_cursor(scope, (shown[-1][SK]["S"],)) if len(items) > limit else None
        records = (load_config(kind, item["body"]["S"]) for item in shown)
        return Page(tuple(cast("Record", record) for record in records), more)

    def delete_config(self, kind: type[ConfigRecord], name: str) -> bool:
        return bool(self._table.delete(config_key(_kind(kind), name)))


def _kind(kind: type[ConfigRecord]) -> str:
    return kind.__name__.lower()
