"""Domain objects as items: a body of JSON, which spares floats from Decimal, and keys beside it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job
from trainbell.domain.outbox import DeliveryState, OutboxEntry
from trainbell.ports import IdempotencyToken
from trainbell.stores.codec import (
    dump_entry,
    dump_event,
    dump_job,
    load_entry,
    load_event,
    load_job,
)
from trainbell.stores.dynamodb.calls import Item, number, text
from trainbell.stores.dynamodb.table import (
    BY_MODEL,
    BY_PROJECT,
    BY_PROVIDER,
    BY_STATE,
    CREATED,
    DUE_AT,
    DUE_SHARD,
    EVENT_PREFIX,
    JOB_SHARDS,
    LIST_KEYS,
    NEVER,
    OUTBOX_PREFIX,
    OUTBOX_SHARDS,
    PK,
    SK,
    TOKEN_PREFIX,
    TTL_ATTRIBUTE,
    event_key,
    hold_key,
    job_key,
    job_token_key,
    listed_under,
    outbox_key,
    shard_of,
    stamp,
    token_key,
)

DELIVERIES_KEPT = timedelta(days=90)


def job_item(job: Job) -> Item:
    item = {
        **job_key(job.id),
        "body": text(dump_job(job).decode()),
        "revision": number(job.revision),
        CREATED: text(created_position(job)),
        LIST_KEYS[BY_PROJECT]: text(job.order.project),
        LIST_KEYS[BY_STATE]: text(listed_under(job.order.project, job.state)),
        LIST_KEYS[BY_PROVIDER]: text(listed_under(job.order.project, job.order.provider)),
        "provider": text(job.order.provider),
        "kind": text(job.order.kind),
    }
    if job.order.model is not None:
        item["model"] = text(job.order.model)
        item[LIST_KEYS[BY_MODEL]] = text(listed_under(job.order.project, job.order.model))
    if job.order.dataset is not None:
        item["dataset"] = text(job.order.dataset)
    if job.order.tags:
        item["tags"] = {"M": {name: text(value) for name, value in job.order.tags.items()}}
    return item if job.is_ended and job.due_at is None else item | _due(job)


def created_position(job: Job) -> str:
    """Where the job stands in every list: by time of creation, then by id."""
    return f"{stamp(job.created_at)}#{job.id}"


def job_of(item: Item) -> Job:
    return load_job(_body(item), item[PK]["S"].removeprefix("job#"))


def event_item(event: JobEvent) -> Item:
    return {**event_key(event.job_id, event.sequence), "body": text(dump_event(event).decode())}


def event_of(item: Item) -> JobEvent:
    job_id, sequence = item[PK]["S"].removeprefix("job#"), item[SK]["S"].removeprefix(EVENT_PREFIX)
    return load_event(_body(item), job_id, int(sequence))


def entry_item(entry: OutboxEntry) -> Item:
    """Pending: in the index of due things. Done: kept for `DELIVERIES_KEPT`, as a record."""
    item = {
        **outbox_key(entry.event.job_id, entry.id),
        "body": text(dump_entry(entry).decode()),
        "claim": number(entry.claim),
    }
    if entry.state is DeliveryState.PENDING:
        return item | {
            DUE_SHARD: text(shard_of(OUTBOX_SHARDS, entry.event.job_id)),
            DUE_AT: text(stamp(entry.due_at)),
        }
    done_at = entry.done_at or entry.due_at
    return item | {TTL_ATTRIBUTE: number(epoch_seconds(done_at + DELIVERIES_KEPT))}


def entry_of(item: Item) -> OutboxEntry:
    """The claim stands beside the body, because claiming does not rewrite the body."""
    entry = load_entry(_body(item), item[SK]["S"].removeprefix(OUTBOX_PREFIX))
    return replace(entry, claim=int(item["claim"]["N"]))


def _body(item: Item) -> str:
    """One that is missing or no text is as unreadable as one that is no JSON."""
    return str(item.get("body", {}).get("S", ""))


def hold_item(hold: str, job_id: str) -> Item:
    return {**hold_key(hold), "job_id": text(job_id)}


def token_item(token: IdempotencyToken, job_id: str) -> Item:
    return {
        **token_key(token.project, token.key),
        "fingerprint": text(token.fingerprint),
        "job_id": text(job_id),
        TTL_ATTRIBUTE: number(epoch_seconds(token.expires_at)),
    }


def job_token_item(token: IdempotencyToken, job_id: str) -> Item:
    """Beside the job, so that its keys are found from there."""
    return {
        **job_token_key(job_id, token.key),
        "fingerprint": text(token.fingerprint),
        "project": text(token.project),
        TTL_ATTRIBUTE: number(epoch_seconds(token.expires_at)),
    }


def job_token_of(item: Item) -> IdempotencyToken:
    expires_at = datetime.fromtimestamp(int(item[TTL_ATTRIBUTE]["N"]), UTC)
    key = item[SK]["S"].removeprefix(TOKEN_PREFIX)
    return IdempotencyToken(item["project"]["S"], key, item["fingerprint"]["S"], expires_at)


def epoch_seconds(moment: datetime) -> int:
    """Whole seconds, as time to live wants them; rounded up, so that nothing goes too early."""
    return math.ceil(moment.timestamp())


def _due(job: Job) -> Item:
    return {
        DUE_SHARD: text(shard_of(JOB_SHARDS, job.id)),
        DUE_AT: text(stamp(job.due_at) if job.due_at else NEVER),
        "connection": text(job.order.connection),
        "project": text(job.order.project),
        "state": text(job.state),
    }
