"""All that DynamoDB has of a job, read and written part by part, for exports and for care."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from trainbell.domain.job import Job
from trainbell.ports import History, IdempotencyToken
from trainbell.stores.dynamodb.calls import (
    MAX_TRANSACTION_BYTES,
    MAX_TRANSACTION_PARTS,
    Table,
    item_size,
    placeholders,
    text,
)
from trainbell.stores.dynamodb.items import entry_item, event_item, job_token_of
from trainbell.stores.dynamodb.table import PK, SK, TOKEN_PREFIX, job_key, project_key
from trainbell.stores.dynamodb.writes import (
    Part,
    beside_job,
    job_part,
    kept_token,
    new_entry,
    new_event,
    rewritten,
    write,
)

_BYTES_AT_ONCE = MAX_TRANSACTION_BYTES // 2


class DynamoDBArchive:
    """See `ports.ArchiveStore` for what is promised. All reads are strongly consistent."""

    _table: Table
    _projects_known: set[str]

    def projects(self) -> Sequence[str]:
        where = "#pk = :pk"
        items = self._table.query_all(
            KeyConditionExpression=where,
            ConsistentRead=True,
            **placeholders(where, {"pk": project_key("")[PK]}),
        )
        return [str(item[SK]["S"]) for item in items]

    def tokens(self, job_id: str) -> Sequence[IdempotencyToken]:
        where = "#pk = :pk AND begins_with(#sk, :prefix)"
        values = {"pk": job_key(job_id)[PK], "prefix": text(TOKEN_PREFIX)}
        items = self._table.query_all(
            KeyConditionExpression=where, ConsistentRead=True, **placeholders(where, values)
        )
        return [job_token_of(item) for item in items]

    def keep(self, job_id: str, history: History) -> None:
        parts: list[Part] = [new_event(each) for each in history.events]
        parts += [new_entry(each) for each in history.entries]
        for token in history.tokens:
            parts += [kept_token(token, job_id), beside_job(token, job_id)]
        for some in _in_transactions(parts):
            write(self._table, some)

    def rewrite(self, job: Job, history: History) -> None:
        parts = [rewritten(event_item(each)) for each in history.events]
        parts += [rewritten(entry_item(each)) for each in history.entries]
        for some in _in_transactions(parts):
            write(self._table, some)
        write(self._table, [job_part(replace(job, revision=job.revision + 1))])

    def know_project(self, project: str) -> None:
        """Listed from now on. Written once for each project by each process."""
        if project not in self._projects_known:
            self._table.exchange(project_key(project))
            self._projects_known.add(project)


def _in_transactions(parts: Iterable[Part]) -> Iterator[Sequence[Part]]:
    """As many at once as DynamoDB takes."""
    some: list[Part] = []
    size = 0
    for part in parts:
        bytes_of = item_size(part.request["Put"]["Item"])
        if some and (len(some) == MAX_TRANSACTION_PARTS or size + bytes_of > _BYTES_AT_ONCE):
            yield some
            some, size = [], 0
        some.append(part)
        size += bytes_of
    if some:
        yield some
