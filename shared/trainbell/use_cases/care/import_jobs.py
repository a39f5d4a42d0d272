"""A job of an export, with what stands beside it: stored once, and watched by one alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property

from trainbell.domain.events import JobEvent
from trainbell.domain.ids import job_id_at_the_end
from trainbell.domain.job import END_STATE_OF, Job
from trainbell.domain.moving import arrived, copied, is_watched, taken_over
from trainbell.domain.outbox import DeliveryState, OutboxEntry, given_up
from trainbell.domain.recording import Decision
from trainbell.errors import NotFound, Problem, RecordUnreadable
from trainbell.ports import Change, History
from trainbell.use_cases.ground.find_connection import find_connection
from trainbell.use_cases.ground.recording import NAME_HOLD, counted, record_moved
from trainbell.use_cases.ground.services import Services, log

_TAKE_UP: Mapping[str, Callable[[Job, datetime], Decision]] = {
    "moved": arrived,
    "take_over": taken_over,
    "copy": copied,
}
_NOT_TOLD_HERE = "told by the installation that this is a copy of"
_EVENTS_AT_ONCE = 200
_KEPT_AT_ONCE = 100
_TOLD_WITH_JOB = 40
"""So many entries are stored in one transaction with their job, which takes 100 parts."""

_JOB_FOLLOWS_SECONDS = 60.0


class JobImport:
    """What was read of one request. `arrival` is one of `Arrival`."""

    def __init__(self, services: Services, arrival: str, connections: frozenset[str]) -> None:
        self._services = services
        self._arrival = arrival
        self._connections = connections
        self._here: dict[str, Job | None] = {}
        self._told: dict[str, Mapping[int, JobEvent]] = {}
        self._kept: dict[str, History] = {}

    @cached_property
    def _now(self) -> datetime:
        return self._services.clock.now()

    def problems(self, of: str, value: object) -> Sequence[Problem]:
        if job_id_at_the_end(of) != of:
            return [Problem("of", "is no id of a job")]
        try:
            here = self._found(of)
        except RecordUnreadable as error:
            return [Problem("of", f"stands here already, and cannot be read: {error}")]
        if isinstance(value, Job):
            return [*_contradictions(value), *self._problems_of_job(value, here)]
        if here is not None and isinstance(value, JobEvent):
            return self._problems_of_event(value)
        return []

    def is_here(self, job_id: str) -> bool:
        return self._found(job_id) is not None

    def keep(self, job_id: str, part: History) -> bool:
        """Store it with the next parts of the same job. False where the job is here already, and so
        are they."""
        if self.is_here(job_id):
            return False
        kept = self._kept.pop(job_id, History())
        if len(kept.events) + len(kept.entries) >= _KEPT_AT_ONCE:
            self._keep(job_id, kept)
            kept = History()
        self._kept[job_id] = History(
            events=kept.events + part.events,
            entries=kept.entries + tuple(self._as_kept_here(part.entries)),
            tokens=kept.tokens + part.tokens,
        )
        return True

    def store(self, job: Job) -> bool:
        """Store a job behind all that stands beside it, and have it watched; what is still to be
        told, with it. False where it is here already."""
        here = self._found(job.id)
        if here is not None:
            return self._take_over_copy(here)
        beside = self._kept.pop(job.id, History())
        pending = [each for each in beside.entries if each.state is DeliveryState.PENDING]
        with_it = tuple(pending[:_TOLD_WITH_JOB])
        self._keep(
            job.id,
            replace(beside, entries=tuple(e for e in beside.entries if e not in with_it)),
        )
        decision = _TAKE_UP[self._arrival](replace(job, revision=0), self._now)
        taken = decision.job
        ran = counted(taken, self._now) if taken.is_ended else {}
        holds = _holds_of(taken)
        change = Change(job=taken, events=decision.events, outbox=with_it, take=holds, **ran)
        stored, _ = self._services.store.create(change)
        self._watch(stored)
        return True

    def _take_over_copy(self, here: Job) -> bool:
        """A copy that was kept here becomes this installation's own, once its origin is gone."""
        if self._arrival != "take_over" or not here.watch.is_copy:
            return False
        now = self._now
        self._watch(record_moved(self._services, here, lambda each: taken_over(each, now)))
        return True

    def _watch(self, job: Job) -> None:
        if job.is_ended or job.has_moved:
            return
        try:
            self._services.watchers.watch(job)
        except Exception:  # the job is kept; the reconciler gives it a watcher
            log.exception("job %s has no watcher yet", job.id)

    def flush(self) -> None:
        for job_id, kept in self._kept.items():
            self._keep(job_id, kept)
        self._kept = {}

    def _keep(self, job_id: str, history: History) -> None:
        """What is to be told without its job is told when the job must be there."""
        due_at = self._now + timedelta(seconds=_JOB_FOLLOWS_SECONDS)
        entries = tuple(
            replace(each, due_at=max(each.due_at, due_at))
            if each.state is DeliveryState.PENDING
            else each
            for each in history.entries
        )
        self._services.store.keep(job_id, replace(history, entries=entries))

    def _found(self, job_id: str) -> Job | None:
        """As it was when this request began."""
        if job_id not in self._here:
            try:
                self._here[job_id] = self._services.store.get(job_id)
            except NotFound:
                self._here[job_id] = None
        return self._here[job_id]

    def _problems_of_job(self, job: Job, here: Job | None) -> Sequence[Problem]:
        if here is None:
            return [*self._problems_of_holds(job), *self._problems_of_watching(job)]
        is_the_same = (here.order, here.created_at, here.origin) == (
            job.order,
            job.created_at,
            job.origin,
        )
        if is_the_same and here.event_count >= job.event_count:
            return []
        what = "is older here than in the export" if is_the_same else "is another one here"
        return [
            Problem("body", f"job {job.id} {what}: a job is never overwritten; forget it first")
        ]

    def _problems_of_event(self, event: JobEvent) -> Sequence[Problem]:
        if event.job_id not in self._told:
            self._told = {event.job_id: self._events_here(event.job_id)}
        here = self._told[event.job_id].get(event.sequence)
        if here in (None, event):
            return []
        what = f"event {event.sequence} of job {event.job_id}"
        return [Problem("body", f"{what} is another one here: the job went on in both places")]

    def _problems_of_holds(self, job: Job) -> Sequence[Problem]:
        holders = {key: self._services.store.find_by_hold(key) for key in _holds_of(job)}
        return [
            Problem("body.holds", f"job {job.id} has {key}, which job {holder} has here")
            for key, holder in holders.items()
            if holder not in (None, job.id)
        ]

    def _problems_of_watching(self, job: Job) -> Sequence[Problem]:
        """Whether it can be watched here at all."""
        if not is_watched(job) or self._arrival == "copy":
            return []
        try:
            spec = self._services.providers.spec(job.order.provider)
        except NotFound as error:
            return [Problem("body.order.provider", str(error))]
        if spec.embedded_only and self._services.engine != "embedded":
            told = f"job {job.id} runs on the machine that it comes from: let it end there first"
            return [Problem("body.order.provider", told)]
        if job.order.connection in self._connections:
            return []
        try:
            find_connection(self._services, job.order.connection)
        except NotFound as error:
            return [Problem("body.order.connection", f"job {job.id}: {error}")]
        return []

    def _events_here(self, job_id: str) -> Mapping[int, JobEvent]:
        found: dict[int, JobEvent] = {}
        cursor = None
        while True:
            page = self._services.store.events(job_id, limit=_EVENTS_AT_ONCE, cursor=cursor)
            found |= {event.sequence: event for event in page.items}
            cursor = page.next_cursor
            if cursor is None:
                return found

    def _as_kept_here(self, entries: Sequence[OutboxEntry]) -> Sequence[OutboxEntry]:
        """What is still to be told is told by one installation, too."""
        if self._arrival != "copy":
            return entries
        return [
            given_up(each, _NOT_TOLD_HERE, self._now)
            if each.state is DeliveryState.PENDING
            else each
            for each in entries
            if each.channel is not None or each.state is not DeliveryState.PENDING
        ]


def _contradictions(job: Job) -> Sequence[Problem]:
    """What no job of ours can be."""
    if job.is_ended:
        is_right = job.end_reason is not None and END_STATE_OF[job.end_reason] is job.state
        is_right = is_right and job.ended_at is not None
    else:
        is_right = job.end_reason is None and job.ended_at is None
    if is_right:
        return []
    return [Problem("body.state", f"job {job.id}: its state and its end contradict each other")]


def _holds_of(job: Job) -> tuple[str, ...]:
    """The keys that it has still: an ended job has given back all but its name."""
    if not job.is_ended:
        return job.holds
    return tuple(key for key in job.holds if key.startswith(NAME_HOLD))
