"""One change as one transaction: its parts, and what it means when DynamoDB refuses one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job
from trainbell.domain.outbox import OutboxEntry
from trainbell.errors import HoldTaken, JobConflict, StoreUnavailable, TrainbellError
from trainbell.ports import Change, IdempotencyToken
from trainbell.stores.dynamodb.calls import Item, Table, condition, number, placeholders, text
from trainbell.stores.dynamodb.errors import CONDITION_FAILED, CONFLICT, TransactionRefused
from trainbell.stores.dynamodb.items import (
    entry_item,
    epoch_seconds,
    event_item,
    hold_item,
    job_item,
    job_token_item,
    token_item,
)
from trainbell.stores.dynamodb.table import (
    TTL_ATTRIBUTE,
    durations_key,
    hold_key,
    job_key,
    outbox_key,
)

_ATTEMPTS = 5

_ABSENT = condition("attribute_not_exists(#pk)")


class TokenKnown(Exception):
    """The idempotency token is in use."""

    def __init__(self, fingerprint: str, job_id: str) -> None:
        self.fingerprint = fingerprint
        self.job_id = job_id
        super().__init__(f"the token belongs to job {job_id}")


@dataclass(frozen=True, slots=True)
class Part:
    """One write of a transaction.

    `refused` is told what stands there instead. It raises what that means, or says whether the
    rest shall be written without this part; False tries the whole again. `in_conflict` is called
    where another transaction is writing the same item at this moment.
    """

    request: Mapping[str, Mapping[str, Any]]
    refused: Callable[[Item], bool] = lambda _: True
    in_conflict: Callable[[], None] = lambda: None


def write(table: Table, parts: Sequence[Part]) -> None:
    """Write all parts or none. The first refused part decides, so their order matters.

    A refusal by another transaction is tried again at once, a few times: such a one is short.

    Raises what the parts raise, and StoreUnavailable when the others do not end.
    """
    for _ in range(_ATTEMPTS):
        if not parts:
            return
        try:
            table.transact([part.request for part in parts])
        except TransactionRefused as exc:
            parts = _to_try_again(parts, exc)
        else:
            return
    raise StoreUnavailable("others keep writing the same items")


def job_part(job: Job) -> Part:
    """The job with its next revision, if the one before is stored."""
    put = {"Put": {"Item": job_item(job), **revision_before(job)}}
    return Part(put, lambda _: _raise_conflict(job.id), lambda: _raise_conflict(job.id))


def revision_before(job: Job) -> dict[str, Any]:
    """The condition under which this revision may be written."""
    if job.revision == 1:
        return _ABSENT
    return condition("#revision = :read", read=number(job.revision - 1))


def parts_beside_job(change: Change) -> Iterator[Part]:
    """Holds first: they can be refused for a reason that the caller wants to know."""
    job_id = change.job.id
    for hold in dict.fromkeys(change.take):
        yield _take(hold, job_id)
    for hold in dict.fromkeys(change.release):
        if hold not in change.take:
            yield release(hold, job_id)
    for event in change.events:
        yield Part({"Put": {"Item": event_item(event)}})
    for entry in change.outbox:
        yield new_entry(entry)
    if change.duration_bin is not None:
        for key, times in Counter(change.duration_keys).items():
            yield _count(key, change.duration_bin, times)


def new_entry(entry: OutboxEntry) -> Part:
    """Left alone where it exists already."""
    return Part({"Put": {"Item": entry_item(entry), **_ABSENT}})


def claimed(entry: OutboxEntry) -> dict[str, Any]:
    """The condition that the entry is pending and this claim is the last one."""
    return condition("attribute_exists(#due_shard) AND #claim = :claim", claim=number(entry.claim))


def removed_entry(entry: OutboxEntry) -> Part:
    key = outbox_key(entry.event.job_id, entry.id)
    return Part({"Delete": {"Key": key, **claimed(entry)}}, lambda _: _raise_conflict(entry.id))


def still_claimed(entry: OutboxEntry) -> Part:
    """Writes the claim as it is: a check that needs no right of its own."""
    key = outbox_key(entry.event.job_id, entry.id)
    update = {"Key": key, "UpdateExpression": "SET #claim = :claim", **claimed(entry)}
    return Part({"Update": update}, lambda _: _raise_conflict(entry.id))


def token_part(token: IdempotencyToken, job: Job) -> Part:
    """The token, where it is free.

    Time to live sweeps up to days late, so one that has expired counts as absent.
    """
    free = condition(
        f"attribute_not_exists(#pk) OR #{TTL_ATTRIBUTE} <= :now",
        now=number(int(job.created_at.timestamp())),
    )
    put = {"Put": {"Item": token_item(token, job.id), **free}}
    return Part(put, _known)


def kept_token(token: IdempotencyToken, job_id: str) -> Part:
    """The token, where none lives longer. A key whose time is over is as good as none."""
    expires_at = number(epoch_seconds(token.expires_at))
    free = condition(
        f"attribute_not_exists(#pk) OR #{TTL_ATTRIBUTE} < :expires_at", expires_at=expires_at
    )
    return Part({"Put": {"Item": token_item(token, job_id), **free}})


def beside_job(token: IdempotencyToken, job_id: str) -> Part:
    return Part({"Put": {"Item": job_token_item(token, job_id)}})


def new_event(event: JobEvent) -> Part:
    """Left alone where it exists already."""
    return Part({"Put": {"Item": event_item(event), **_ABSENT}})


def rewritten(item: Item) -> Part:
    """In the place of what stands there; nothing, where that is gone."""
    return Part({"Put": {"Item": item, **condition("attribute_exists(#pk)")}})


def release(hold: str, job_id: str) -> Part:
    """Give a hold back; one that is another job's (or nobody's) is left alone."""
    mine = condition("attribute_not_exists(#pk) OR #job_id = :me", me=text(job_id))
    return Part({"Delete": {"Key": hold_key(hold), **mine}})


def removed_job(job: Job) -> Part:
    where = condition("#revision = :read", read=number(job.revision))
    delete = {"Delete": {"Key": job_key(job.id), **where}}
    return Part(delete, lambda _: _raise_conflict(job.id), lambda: _raise_conflict(job.id))


def removed(key: Item) -> Part:
    return Part({"Delete": {"Key": key}})


def _take(hold: str, job_id: str) -> Part:
    def refused(found: Item) -> bool:
        if found:
            raise HoldTaken(hold, found["job_id"]["S"])
        return False

    free_or_mine = condition("attribute_not_exists(#pk) OR #job_id = :me", me=text(job_id))
    return Part({"Put": {"Item": hold_item(hold, job_id), **free_or_mine}}, refused)


def _count(key: str, bin_number: int, times: int) -> Part:
    add = "ADD #bin :times"
    update = {
        "Key": durations_key(key),
        "UpdateExpression": add,
        **placeholders(add, {"times": number(times)}, {"bin": f"bin#{bin_number}"}),
    }
    return Part({"Update": update})


def _known(found: Item) -> bool:
    if found:
        raise TokenKnown(found["fingerprint"]["S"], found["job_id"]["S"])
    return False


def _raise_conflict(what: str) -> NoReturn:
    raise JobConflict(f"{what} has changed since it was read")


def _to_try_again(parts: Sequence[Part], exc: TransactionRefused) -> Sequence[Part]:
    dropped: set[int] = set()
    try:
        for position, refusal in sorted(exc.refusals.items()):
            if refusal.code == CONDITION_FAILED:
                if parts[position].refused(dict(refusal.item)):
                    dropped.add(position)
            elif refusal.code == CONFLICT:
                parts[position].in_conflict()
            else:
                raise StoreUnavailable(f"DynamoDB refused a part: {refusal.code}")
    except (TrainbellError, TokenKnown) as meaning:
        raise meaning from exc
    return [part for position, part in enumerate(parts) if position not in dropped]
