"""Makes a stored record unreadable, and readable again, behind the store's back."""

from __future__ import annotations

import sqlite3
from typing import Any

from trainbell.domain.settings import ConfigRecord
from trainbell.ports import Store
from trainbell.stores.dynamodb.store import DynamoDBStore
from trainbell.stores.dynamodb.table import config_key, event_key, job_key, outbox_key
from trainbell.stores.sqlite.store import SqliteStore

FROM_THE_FUTURE = '{"id": "x", "state": "dreaming"}'


def spoil_job(store: Store, job_id: str) -> str:
    """Returns what stood there, to be given to `mend_job`."""
    return _exchange(store, ("jobs", "id = ?", (job_id,)), job_key(job_id), FROM_THE_FUTURE)


def mend_job(store: Store, job_id: str, body: str) -> None:
    _exchange(store, ("jobs", "id = ?", (job_id,)), job_key(job_id), body)


def spoil_entry(store: Store, job_id: str, entry_id: str) -> str:
    where = ("outbox", "id = ?", (entry_id,))
    return _exchange(store, where, outbox_key(job_id, entry_id), FROM_THE_FUTURE)


def mend_entry(store: Store, job_id: str, entry_id: str, body: str) -> None:
    _exchange(store, ("outbox", "id = ?", (entry_id,)), outbox_key(job_id, entry_id), body)


def spoil_event(store: Store, job_id: str, sequence: int) -> None:
    where = ("events", "job_id = ? AND sequence = ?", (job_id, sequence))
    _exchange(store, where, event_key(job_id, sequence), FROM_THE_FUTURE)


def spoil_setting(store: Store, kind: type[ConfigRecord], name: str) -> str:
    where = ("config", "kind = ? AND name = ?", (kind.__name__, name))
    return _exchange(store, where, config_key(kind.__name__.lower(), name), FROM_THE_FUTURE)


def _exchange(store: Store, row: tuple[str, str, tuple[Any, ...]], key: Any, body: str) -> str:
    if isinstance(store, SqliteStore):
        return _exchange_row(store, *row, body)
    assert isinstance(store, DynamoDBStore)
    table, client = store._table._name, store._client
    was = client.get_item(TableName=table, Key=key)["Item"]["body"]["S"]
    client.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": body}},
    )
    return str(was)


def _exchange_row(
    store: SqliteStore, table: str, where: str, values: tuple[Any, ...], body: str
) -> str:
    db = sqlite3.connect(store._database.path)
    try:
        (was,) = db.execute(f"SELECT body FROM {table} WHERE {where}", values).fetchone()
        db.execute(f"UPDATE {table} SET body = ? WHERE {where}", (body.encode(), *values))
        db.commit()
    finally:
        db.close()
    return was.decode() if isinstance(was, bytes) else str(was)
