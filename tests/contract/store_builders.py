"""What the store contract suite stores: numbered jobs with events and outbox entries."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, TypeVar

from tests.builders import NOON, a_job
from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.job import Job
from trainbell.domain.outbox import OutboxEntry, routed, unrouted
from trainbell.errors import StoreUnavailable
from trainbell.ports import Change, IdempotencyToken, Store

Result = TypeVar("Result")
ATTEMPTS = 200


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def job_number(number: int, **fields: Any) -> Job:
    return a_job(id=f"01job{number:021d}", **fields)


def stored(store: Store, number: int = 1, **fields: Any) -> Job:
    return store.create(Change(job=job_number(number, **fields)))[0]


def an_event(job: Job, sequence: int = 1, **fields: Any) -> JobEvent:
    given: dict[str, Any] = {"type": EventType.JOB_REQUESTED, "at": NOON, "state": job.state}
    return JobEvent(job_id=job.id, sequence=sequence, **{**given, **fields})


def an_entry(job: Job, sequence: int = 1, *, at: datetime = NOON) -> OutboxEntry:
    return unrouted(an_event(job, sequence, at=at), job.order.project)


def a_delivery(
    job: Job, sequence: int = 1, *, at: datetime = NOON, channel: str = "team"
) -> OutboxEntry:
    return routed(an_entry(job, sequence, at=at), channel, at)


def a_token(
    key: str = "key-1", *, fingerprint: str = "f1", at: datetime = NOON
) -> IdempotencyToken:
    return IdempotencyToken("default", key, fingerprint, at + timedelta(hours=8))


def all_events(store: Store, job: Job) -> tuple[JobEvent, ...]:
    return store.events(job.id, limit=1000).items


def patiently(call: Callable[[], Result]) -> Result:
    """Any call may be told to come again while others write the same thing."""
    for _ in range(ATTEMPTS):
        try:
            return call()
        except StoreUnavailable:
            continue
    raise AssertionError("the store is never available")


def at_once(count: int, call: Callable[[int], Result]) -> list[Result]:
    """Call it in so many threads, each with its number."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))
