"""Rules of the first version, planted again: what the simulation is there to find.

Each fault replaces functions where they are used, for as long as its `with` lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any

from tests.simulation import engines, people, process
from tests.simulation.product import (
    Change,
    Decision,
    Failure,
    FailureKind,
    Job,
    JobConflict,
    NotifyRejected,
    OutboxEntry,
    Services,
    Settling,
    WatchRules,
    given_up,
    modules,
)

Replacement = tuple[Any, str, Any]


@dataclass(frozen=True)
class Fault:
    """`shot`: what it did to people, in a few words. `promise`: the one that it breaks, None for
    whichever comes first. `known_seed`: the first that shows it, None where none is known."""

    shot: str
    promise: str | None
    known_seed: int | None
    replacements: Callable[[], list[Replacement]]


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """The world with this fault. Raises KeyError for a name that there is none of."""
    replaced = [
        (target, attribute, getattr(target, attribute), new)
        for target, attribute, new in (FAULTS[name].replacements() if name is not None else [])
    ]
    for target, attribute, _, new in replaced:
        setattr(target, attribute, new)
    try:
        yield
    finally:
        for target, attribute, old, _ in replaced:
            setattr(target, attribute, old)


def _judged_by_its_answer() -> list[Replacement]:
    """One look-up suffices, and the clock is read after its answer has come."""
    not_found: Callable[..., Decision] = modules.starting.not_found

    def first(
        job: Job, attempt: int, looked_at: datetime, now: datetime, settling: Settling
    ) -> Decision:
        return not_found(job, attempt, now, now, replace(settling, look_ups=1))

    return [(modules.starting, "not_found", first)]


def _thirty_seconds() -> list[Replacement]:
    """A service settles within what it says of itself, whatever a repeat would do."""

    def first(spec: Any, connection: Any) -> Settling:
        return Settling(connection.settle_seconds or spec.settle_seconds)

    return [(modules.ProviderSpec, "settling", first)]


def _any_attempt() -> list[Replacement]:
    """What became of an earlier attempt is taken for what becomes of the one under way."""
    not_found = modules.starting.not_found

    def is_of(job: Job, attempt: int) -> bool:
        return not job.is_ended and job.handle is None

    def first(
        job: Job, attempt: int, looked_at: datetime, now: datetime, settling: Settling
    ) -> Decision:
        if attempt != job.start.attempts:
            # It knew of no longer settling either.
            looked_at, settling = now, replace(settling, look_ups=1, seconds=30.0)
        decision: Decision = not_found(job, attempt, looked_at, now, settling)
        return decision

    return [(modules.starting, "_is_of", is_of), (modules.starting, "not_found", first)]


def _missing_now_and_then() -> list[Replacement]:
    """A second "no such job" after the grace loses it, whatever was between; nothing is tried."""
    take_failure = modules.lifecycle._take_failure

    def first(record: Any, failure: Failure, now: datetime, rules: WatchRules, _: bool) -> None:
        before = record.job.watch
        take_failure(record, failure, now, rules, True)
        if failure.kind is not FailureKind.MISSING and not record.job.is_ended:
            record.watch(
                missing_since=before.missing_since, missing_in_a_row=before.missing_in_a_row
            )

    return [
        (modules.lifecycle, "_take_failure", first),
        (modules.lifecycle, "MISSING_POLLS_BEFORE_LOST", 2),
        (modules.poll_job, "_doubt", lambda job, seen, door: None),
    ]


def _connection_not_asked() -> list[Replacement]:
    """What an edited connection leads to is believed."""
    return [(modules.poll_job, "_doubt", lambda job, seen, door: None)]


def _never_found_again() -> list[Replacement]:
    """`lost` is an end, and nobody looks."""
    take_failure = modules.lifecycle._take_failure

    def first(
        record: Any, failure: Failure, now: datetime, rules: WatchRules, proven: bool
    ) -> None:
        take_failure(record, failure, now, rules, proven)
        if record.job.is_ended:
            record.watch(next_poll_at=None)

    return [(modules.lifecycle, "_take_failure", first)]


def _one_refusal() -> list[Replacement]:
    """A receiver that refuses once is told no more."""
    failed = modules.publishing._failed

    def first(entry: OutboxEntry, error: Any, now: datetime) -> OutboxEntry:
        if isinstance(error, NotifyRejected):
            return given_up(entry, str(error), now)
        tried: OutboxEntry = failed(entry, error, now)
        return tried

    return [(modules.publishing, "_failed", first)]


def _raw_retry_after() -> list[Replacement]:
    """A service may ask for as much silence as it likes."""

    def first(failure: Failure) -> float | None:
        if failure.kind is not FailureKind.THROTTLED:
            return None
        return failure.retry_after_seconds

    return [
        (modules.door, "longest_silence", first),
        (modules.polling, "LONGEST_RETRY_AFTER_SECONDS", 1e9),
    ]


def _future_binds() -> list[Replacement]:
    """What was seen in the future is newer than whatever is seen now; nothing is rewound."""

    def is_stale(job: Job, asked_at: datetime, now: datetime) -> bool:
        return job.seen.at is not None and asked_at <= job.seen.at

    return [
        (modules.lifecycle, "_is_stale", is_stale),
        (engines, "mend_times", lambda services: None),
    ]


def _shared_handle() -> list[Replacement]:
    """Two jobs may watch one training."""
    numbers = count()
    return [(modules.start_job, "handle_hold", lambda door, handle: f"handle:{next(numbers)}")]


def _forget_untold() -> list[Replacement]:
    """A job is forgotten with what is still to be told of it."""

    def first(services: Services, job_id: str) -> None:
        job = services.store.get(job_id)
        if job.is_ended:
            services.store.delete(job)

    return [(people, "forget_job", first)]


def _last_write_wins() -> list[Replacement]:
    """A change is stored whatever revision was read."""
    save = process.ProcessStore.save

    def first(store: Any, change: Change) -> Job:
        try:
            return save(store, change)
        except JobConflict:
            now = store.get(change.job.id)
            return save(store, replace(change, job=replace(change.job, revision=now.revision)))

    return [(process.ProcessStore, "save", first)]


def _unconditional_settings() -> list[Replacement]:
    """A setting is stored whatever revision was read: a run undoes a disable."""
    put_config = process.ProcessStore.put_config

    def first(store: Any, record: Any, **_expected: Any) -> Any:
        return put_config(store, record)

    return [(process.ProcessStore, "put_config", first)]


def _silent_doubles() -> list[Replacement]:
    """A second training of a job is nobody's business."""

    def first(job: Job, *_seen: Any) -> Decision:
        return Decision(job)

    return [(modules.starting, "doubled", first), (modules.starting, "_alarm", first)]


def _late_in_silence() -> list[Replacement]:
    """A due time after whose successor has run is dropped."""
    return [(modules.scheduling, "_late", lambda services, schedule, due_at: None)]


def _characters() -> list[Replacement]:
    """Bounds count characters, and stores count bytes."""
    return [(modules.size_bounds, "json_bytes", lambda value: len(str(value)))]


def _one_row_stops_all() -> list[Replacement]:
    """A row that cannot be read keeps the loop from beginning."""

    def first(services: Services, job_id: str) -> Job:
        return services.store.get(job_id)

    return [
        (modules.resuming, "_readable", first),
        (modules.quarantine.Quarantine, "set_aside", lambda *_: None),
    ]


def _blind_repeat() -> list[Replacement]:
    """A start whose answer was lost is simply sent again."""
    postponed = modules.starting.postponed
    return [(modules.starting, "unclear", postponed)]


FAULTS: Mapping[str, Fault] = {
    "judged-by-its-answer": Fault("two trainings", "started once", 275, _judged_by_its_answer),
    "settles-in-thirty-seconds": Fault("two trainings", "started once", 37, _thirty_seconds),
    "any-attempt": Fault("two trainings", "started once", 371, _any_attempt),
    "blind-repeat": Fault("two trainings", "started once", 3, _blind_repeat),
    "missing-now-and-then": Fault(
        "lost while it runs", "never lost while it runs", 23, _missing_now_and_then
    ),
    "connection-not-asked": Fault(
        "lost while it runs", "never lost while it runs", 49, _connection_not_asked
    ),
    "never-found-again": Fault("lost for good", "never lost while it runs", 12, _never_found_again),
    "one-refusal": Fault("never told", "told", 0, _one_refusal),
    "forget-untold": Fault("never told", "told", 3, _forget_untold),
    "raw-retry-after": Fault(
        "a day of silence", "silence is an hour at most", 25, _raw_retry_after
    ),
    "future-binds": Fault("a cancel is not seen", "watched to its end", 43, _future_binds),
    "shared-handle": Fault("two jobs, one training", "one training, one job", 30, _shared_handle),
    "last-write-wins": Fault("a lost update", "it comes to rest", 28, _last_write_wins),
    "unconditional-settings": Fault(
        "a deletion is undone", "what is deleted stays so", 1488, _unconditional_settings
    ),
    "silent-doubles": Fault("no alarm", "started once", 667, _silent_doubles),
    "late-in-silence": Fault("a lost due time", "no due time in silence", 494, _late_in_silence),
    "counts-characters": Fault("too big", "it fits into every store", 18, _characters),
    "one-row-stops-all": Fault("nobody watched", "it comes to rest", 5, _one_row_stops_all),
}
