"""Jobs with their events, holds and tokens in DynamoDB."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from trainbell.domain.durations import DurationHistory
from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job, State
from trainbell.domain.slots import first_free
from trainbell.errors import (
    IdempotencyConflict,
    InputInvalid,
    JobConflict,
    NotFound,
    Problem,
    RecordUnreadable,
)
from trainbell.ports import Change, DueJob, IdempotencyToken, JobQuery, Page, RecordKind
from trainbell.stores.cursors import read_text_cursor, write_cursor
from trainbell.stores.dynamodb import due as due_index
from trainbell.stores.dynamodb.archive import DynamoDBArchive
from trainbell.stores.dynamodb.calls import (
    Item,
    Table,
    item_size,
    key_of,
    number,
    placeholders,
    text,
)
from trainbell.stores.dynamodb.errors import ConditionFailed
from trainbell.stores.dynamodb.items import event_of, job_item, job_of
from trainbell.stores.dynamodb.lists import list_jobs
from trainbell.stores.dynamodb.quarantine import read_or_set_aside
from trainbell.stores.dynamodb.table import (
    DUE_AT,
    EVENT_PREFIX,
    JOB_SHARDS,
    JOB_SK,
    NEVER,
    PK,
    SK,
    durations_key,
    hold_key,
    job_key,
    parse_stamp,
    slot_of,
    slots_key,
)
from trainbell.stores.dynamodb.writes import (
    TokenKnown,
    beside_job,
    job_part,
    parts_beside_job,
    release,
    removed,
    removed_job,
    revision_before,
    token_part,
    write,
)

MAX_NEW_JOB_BYTES = 320 * 1024
"""A new job leaves room in its item (400 KB) for what is learned of it later."""

_DELETED_WITH_JOB = 90


class DynamoDBJobs(DynamoDBArchive):
    """See `ports.JobStore` for what is promised.

    `get`, `events`, `find_by_hold`, `free_slot` and tokens are read strongly consistent. `list`,
    `due`, `next_due_at` and `count_by_state` come from indexes and `durations` from a cheap read:
    these lag a moment behind. No promise rests on them, for each write is conditional on the job
    itself.

    StoreUnavailable after a lost answer leaves open whether a write was done. A repeat is safe:
    `save` then raises JobConflict, and `create` with a token gives the job of then.
    """

    _table: Table

    def create(self, change: Change, token: IdempotencyToken | None = None) -> tuple[Job, bool]:
        """Raises, besides what the port says, InputInvalid for a job too large to be stored."""
        job = replace(change.job, revision=change.job.revision + 1)
        size = item_size(job_item(job))
        if size > MAX_NEW_JOB_BYTES and job.state is State.REQUESTED:
            told = f"make a job of {size} bytes; at most {MAX_NEW_JOB_BYTES} can be stored"
            raise InputInvalid([Problem("parameters", told)])
        self.know_project(job.order.project)
        parts = [job_part(job), *parts_beside_job(change)]
        if token is None:
            write(self._table, parts)
            return job, True
        try:
            write(self._table, [token_part(token, job), *parts, beside_job(token, job.id)])
        except TokenKnown as known:
            return self._job_of_then(token, known), False
        return job, True

    def save(self, change: Change) -> Job:
        """A change of the job alone is one conditional put; with more, it is a transaction."""
        job = replace(change.job, revision=change.job.revision + 1)
        beside = list(parts_beside_job(change))
        if beside:
            write(self._table, [job_part(job), *beside])
            return job
        try:
            self._table.put(job_item(job), revision_before(job))
        except ConditionFailed as exc:
            raise JobConflict(f"job {job.id} has changed since it was read") from exc
        return job

    def get(self, job_id: str) -> Job:
        item = self._table.get(job_key(job_id))
        if item is None:
            raise NotFound(f"there is no job {job_id}")
        return read_or_set_aside(self._table, RecordKind.JOB, item, job_of)

    def find_by_hold(self, key: str) -> str | None:
        item = self._table.get(hold_key(key))
        return None if item is None else str(item["job_id"]["S"])

    def free_slot(self, connection: str, slots: int, *, first: int = 0) -> str | None:
        where = "#pk = :pk"
        items = self._table.query_all(
            KeyConditionExpression=where,
            ProjectionExpression="#sk",
            ConsistentRead=True,
            **placeholders(f"{where} #sk", {"pk": slots_key(connection)}),
        )
        taken = {slot_of(connection, item) for item in items}
        return first_free(taken, connection, slots, first)

    def list(self, query: JobQuery) -> Page[Job]:
        """Filters that leave little of a long list may give a short page with a cursor."""
        return list_jobs(self._table, query)

    def events(self, job_id: str, *, limit: int, cursor: str | None = None) -> Page[JobEvent]:
        scope = f"events of {job_id}"
        after = read_text_cursor(cursor, scope) if cursor is not None else EVENT_PREFIX
        where = "#pk = :pk AND #sk BETWEEN :after AND :last"
        # `$` follows `#`, so this is where the events end. One more than the page and the cursor's.
        values = {"pk": job_key(job_id)[PK], "after": text(after), "last": text("event$")}
        items, _ = self._table.query(
            KeyConditionExpression=where,
            ConsistentRead=True,
            Limit=limit + 2,
            **placeholders(where, values),
        )
        later = [item for item in items if item[SK]["S"] > after]
        shown = later[:limit]
        more = write_cursor(scope, (shown[-1][SK]["S"],)) if len(later) > limit else None
        events, unreadable = [], []
        for item in shown:
            try:
                events.append(event_of(item))
            except RecordUnreadable as error:
                unreadable.append(error.record)
        return Page(tuple(events), more, tuple(unreadable))

    def delete(self, job: Job) -> None:
        """One transaction for up to 90 events and deliveries; the first of more go before it."""
        stored = self._table.get(job_key(job.id))
        if stored is None or stored["revision"] != number(job.revision):
            raise JobConflict(f"job {job.id} has changed since it was read")
        beside = self._keys_beside(job.id)
        self._table.batch_delete(beside[:-_DELETED_WITH_JOB])
        parts = [removed_job(job)]
        parts += [release(hold, job.id) for hold in dict.fromkeys(job.holds)]
        parts += [removed(key) for key in beside[-_DELETED_WITH_JOB:]]
        write(self._table, parts)

    def due(
        self, now: datetime, limit: int, *, per_connection: Callable[[str], int] | None = None
    ) -> Sequence[DueJob]:
        # With `per_connection`, jobs beyond the first `limit` are not looked for: in the cloud
        # every job has a watcher of its own, so none stands in another's way.
        items = due_index.due_items(self._table, JOB_SHARDS, now, limit)
        taken: Counter[str] = Counter()
        jobs = []
        for item in items:
            connection = item["connection"]["S"]
            taken[connection] += 1
            if per_connection is None or taken[connection] <= per_connection(connection):
                jobs.append(_due_job(item))
        return jobs

    def watched(self) -> Iterator[DueJob]:
        items = due_index.all_items(self._table, JOB_SHARDS)
        return (_due_job(item) for item in items if item[DUE_AT]["S"] != NEVER)

    def active(self, connection: str, limit: int) -> Sequence[DueJob]:
        return [_due_job(item) for item in due_index.active_items(self._table, connection)[:limit]]

    def next_due_at(self) -> datetime | None:
        return due_index.next_due_at(self._table, JOB_SHARDS)

    def count_by_state(self, project: str | None = None) -> Mapping[State, int]:
        return due_index.count_by_state(self._table, project)

    def durations(self, keys: Sequence[str]) -> DurationHistory:
        wanted = [durations_key(key) for key in dict.fromkeys(keys)]
        items = self._table.batch_get(wanted, consistent=False)
        counts = {item[PK]["S"]: _bins(item) for item in items}
        return DurationHistory(tuple(counts.get(durations_key(key)[PK]["S"], {}) for key in keys))

    def _job_of_then(self, token: IdempotencyToken, known: TokenKnown) -> Job:
        if known.fingerprint != token.fingerprint:
            raise IdempotencyConflict(
                f"the idempotency key {token.key!r} was used with other input,"
                f" for job {known.job_id}"
            ) from known
        try:
            return self.get(known.job_id)
        except NotFound as exc:
            raise IdempotencyConflict(
                f"the idempotency key {token.key!r} was used for job {known.job_id}, deleted since"
            ) from exc

    def _keys_beside(self, job_id: str) -> Sequence[Item]:
        where = "#pk = :pk"
        items = self._table.query_all(
            KeyConditionExpression=where,
            ProjectionExpression="#pk, #sk",
            ConsistentRead=True,
            **placeholders(f"{where} #sk", {"pk": job_key(job_id)[PK]}),
        )
        return [key_of(item) for item in items if item[SK]["S"] != JOB_SK]


def _due_job(item: Item) -> DueJob:
    job_id = item[PK]["S"].removeprefix("job#")
    return DueJob(job_id, item["connection"]["S"], parse_stamp(item[DUE_AT]["S"]))


def _bins(item: Item) -> Mapping[int, int]:
    return {
        int(name.removeprefix("bin#")): int(value["N"])
        for name, value in item.items()
        if name.startswith("bin#")
    }
