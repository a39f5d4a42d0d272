"""Connections, channels and schedules in DynamoDB: small documents by kind and name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from trainbell.domain.settings import ConfigRecord
from trainbell.errors import SettingChanged
from trainbell.ports import NOT_STORED, Page, Record, RecordKind
from trainbell.stores.codec import dump_config, load_config, revision_of
from trainbell.stores.cursors import read_text_cursor, write_cursor
from trainbell.stores.dynamodb.calls import Item, Table, condition, placeholders, text
from trainbell.stores.dynamodb.errors import ConditionFailed
from trainbell.stores.dynamodb.quarantine import read_or_set_aside, readable
from trainbell.stores.dynamodb.table import PK, SK, config_key


class DynamoDBConfig:
    """See `ports.ConfigStore` for what is promised. All reads are strongly consistent."""

    _table: Table

    def put_config(self, record: Record, *, expected: str | None = None) -> tuple[Record, bool]:
        key, body = config_key(_kind(type(record)), record.name), dump_config(record)
        item = {**key, "body": text(body.decode())}
        stored = replace(record, revision=revision_of(body))
        if expected is None:
            return stored, not self._table.exchange(item)
        try:
            self._table.put(item, self._as_expected(key, expected))
        except ConditionFailed as exc:
            raise _changed(key) from exc
        return stored, expected == NOT_STORED

    def get_config(self, kind: type[Record], name: str) -> Record | None:
        item = self._table.get(config_key(_kind(kind), name))
        if item is None:
            return None
        return read_or_set_aside(
            self._table, RecordKind.SETTING, item, lambda found: _record(kind, found)
        )

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
        good, bad = readable(
            self._table, RecordKind.SETTING, shown, lambda found: _record(kind, found)
        )
        return Page(tuple(good), more, tuple(item[SK]["S"] for item in bad))

    def delete_config(
        self, kind: type[ConfigRecord], name: str, *, expected: str | None = None
    ) -> bool:
        key = config_key(_kind(kind), name)
        if expected is None:
            return bool(self._table.delete(key))
        try:
            return bool(self._table.delete(key, self._as_expected(key, expected)))
        except ConditionFailed as exc:
            raise _changed(key) from exc

    def _as_expected(self, key: Item, expected: str) -> Mapping[str, Any]:
        """The condition that this revision is stored: a revision is a digest of the body.

        Raises SettingChanged where it is not so already.
        """
        if expected == NOT_STORED:
            return condition("attribute_not_exists(#pk)")
        item = self._table.get(key)
        if item is None or revision_of(item["body"]["S"]) != expected:
            raise _changed(key)
        return condition("#body = :seen", seen=item["body"])


def _record(kind: type[Record], item: Item) -> Record:
    return cast("Record", load_config(kind, item["body"]["S"], item[SK]["S"]))


def _changed(key: Item) -> SettingChanged:
    kind = key[PK]["S"].removeprefix("config#")
    return SettingChanged(f"{kind} {key[SK]['S']} has changed since it was read")


def _kind(kind: type[ConfigRecord]) -> str:
    return kind.__name__.lower()
