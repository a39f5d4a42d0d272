"""The one DynamoDB table: its keys, its indexes and its definition, as data.

| item | pk | sk | what else |
|---|---|---|---|
| job | `job#<id>` | `job` | `body`, `revision`, the attributes of the indexes |
| event | `job#<id>` | `event#<sequence>` | `body` |
| outbox entry, delivery | `job#<id>` | `outbox#<entry id>` | `body`, `claim` |
| hold | `hold#<key>` | `hold` | `job_id` |
| hold of a slot | `slots#<connection>` | `slot#<number>` | `job_id` |
| idempotency token | `token#<key>` | `<project>` | `fingerprint`, `job_id` |
| the same, beside its job | `job#<id>` | `token#<key>` | `fingerprint`, `project` |
| project that has a job | `projects` | `<name>` | |
| schema | `schema` | `schema` | `version` |
| configuration | `config#<kind>` | `<name>` | `body` |
| rate budget | `budget#<connection>` | `budget` | `last_place`, `silent_until` (microseconds) |
| duration counter | `durations#<key>` | `durations` | `bin#<number>` |

A job's items share a partition: its events and deliveries are read, strongly consistent, without
an index; so do a connection's slots, among which one query finds a free one. The list indexes hold
only what never changes during a job's life (by_state: what changes with the state), so that a poll
that only counts itself does not write to them. `due` is sparse: it has active jobs and pending
outbox entries, spread over shards, because all pollers write it; and what cannot be read, which is
counted there and never due.
Limits: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from trainbell.domain.slots import parsed_slot, slot_hold

PK = "pk"
SK = "sk"
TTL_ATTRIBUTE = "expires_at"
STREAM_VIEW = "NEW_IMAGE"

JOB_SK = "job"
EVENT_PREFIX = "event#"
SLOT_PREFIX = "slot#"
OUTBOX_PREFIX = "outbox#"
"""Sort keys of outbox entries. A Lambda event filter finds the new ones with `STREAM_FILTER`."""

TOKEN_PREFIX = "token#"  # noqa: S105 - of a sort key

STREAM_FILTER: Mapping[str, Any] = {
    "eventName": ["INSERT"],
    "dynamodb": {"Keys": {SK: {"S": [{"prefix": OUTBOX_PREFIX}]}}},
}

BY_PROJECT = "by_project"
BY_STATE = "by_state"
BY_PROVIDER = "by_provider"
BY_MODEL = "by_model"
DUE = "due"

CREATED = "created"
"""Sort key of the list indexes: `<created_at>#<job id>`, which orders and names a job."""

LIST_KEYS: Mapping[str, str] = {
    BY_PROJECT: "in_project",
    BY_STATE: "in_state",
    BY_PROVIDER: "in_provider",
    BY_MODEL: "in_model",
}
"""Partition key attribute of each list index."""

LISTED = ("dataset", "kind", "model", "provider", "tags")
"""What the list indexes carry for filters. None of it ever changes."""

DUE_SHARD = "due_shard"
DUE_AT = "due_at"
DUE_CARRIES = ("connection", "project", "state")
JOB_SHARDS = tuple(f"due#{number}" for number in range(8))
OUTBOX_SHARDS = tuple(f"{OUTBOX_PREFIX}{number}" for number in range(4))
ASIDE_SHARDS: Mapping[str, str] = {
    "job": "aside#job",
    "outbox_entry": "aside#outbox",
    "setting": "aside#setting",
}
"""Where what cannot be read stands in the index, by its `RecordKind`: counted, and never due."""

NEVER = "9999-12-31T23:59:59.999999Z"
"""`due_at` of an active job that waits for nothing: counted, but never due."""

ACTIONS = (
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
)
"""All that the store ever calls (a transaction needs the rights of its parts). Never a Scan."""


def table_definition(table_name: str) -> dict[str, Any]:
    """The arguments of CreateTable. Time to live on `TTL_ATTRIBUTE` is a call of its own."""
    keys = [PK, SK, CREATED, DUE_AT, DUE_SHARD, *LIST_KEYS.values()]
    return {
        "TableName": table_name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for name in sorted(keys)
        ],
        "KeySchema": _key_schema(PK, SK),
        "GlobalSecondaryIndexes": [
            *(_index(name, key, CREATED, LISTED) for name, key in LIST_KEYS.items()),
            _index(DUE, DUE_SHARD, DUE_AT, DUE_CARRIES),
        ],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": STREAM_VIEW},
    }


def is_outbox_record(record: Mapping[str, Any]) -> bool:
    """Whether a record of the table's stream says that an outbox entry was added.

    The same rule as `STREAM_FILTER`, for those who get unfiltered records.
    """
    sort_key = record.get("dynamodb", {}).get("Keys", {}).get(SK, {}).get("S", "")
    return record.get("eventName") == "INSERT" and str(sort_key).startswith(OUTBOX_PREFIX)


def job_key(job_id: str) -> dict[str, Any]:
    return _key(f"job#{job_id}", JOB_SK)


def event_key(job_id: str, sequence: int) -> dict[str, Any]:
    return _key(f"job#{job_id}", f"{EVENT_PREFIX}{sequence:09d}")


def outbox_key(job_id: str, entry_id: str) -> dict[str, Any]:
    return _key(f"job#{job_id}", f"{OUTBOX_PREFIX}{entry_id}")


def hold_key(hold: str) -> dict[str, Any]:
    if slot := parsed_slot(hold):
        connection, number = slot
        return {PK: slots_key(connection), SK: {"S": f"{SLOT_PREFIX}{number}"}}
    return _key(f"hold#{hold}", "hold")


def slots_key(connection: str) -> dict[str, Any]:
    """The partition that all slots of a connection share."""
    return {"S": f"slots#{connection}"}


def slot_of(connection: str, item: Mapping[str, Any]) -> str:
    """The hold whose key this is."""
    return slot_hold(connection, int(item[SK]["S"].removeprefix(SLOT_PREFIX)))


def token_key(project: str, key: str) -> dict[str, Any]:
    return _key(f"token#{key}", project)


def job_token_key(job_id: str, key: str) -> dict[str, Any]:
    return _key(f"job#{job_id}", f"{TOKEN_PREFIX}{key}")


def project_key(project: str) -> dict[str, Any]:
    return _key("projects", project)


def schema_key() -> dict[str, Any]:
    return _key("schema", "schema")


def config_key(kind: str, name: str) -> dict[str, Any]:
    return _key(f"config#{kind}", name)


def budget_key(connection: str) -> dict[str, Any]:
    return _key(f"budget#{connection}", "budget")


def durations_key(key: str) -> dict[str, Any]:
    return _key(f"durations#{key}", "durations")


def listed_under(project: str, value: str) -> str:
    """Partition of a list index: a project and a value within it, never to be confused."""
    return f"{_quoted(project)}#{_quoted(value)}"


def shard_of(shards: tuple[str, ...], identity: str) -> str:
    return shards[crc32(identity.encode()) % len(shards)]


def stamp(moment: datetime) -> str:
    """A time that sorts as text: UTC, always with microseconds."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds") + "Z"


def parse_stamp(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _key(partition: str, sort: str) -> dict[str, Any]:
    return {PK: {"S": partition}, SK: {"S": sort}}


def _quoted(part: str) -> str:
    return part.replace("%", "%25").replace("#", "%23")


def _key_schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


def _index(name: str, partition: str, sort: str, carries: tuple[str, ...]) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": _key_schema(partition, sort),
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(carries)},
    }
