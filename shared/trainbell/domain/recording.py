"""Builds the next job and the events of one decision together, so that neither forgets the other.

Used by `lifecycle` and `starting` only; nobody else makes a new version of a job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.failure import Failure
from trainbell.domain.job import END_STATE_OF, EndReason, Job, State
from trainbell.domain.size_bounds import bounded_failure

MOVES: Mapping[State, frozenset[State]] = {
    # Straight to `queued`: a start that had been given up was accepted after all.
    State.REQUESTED: frozenset(
        {
            State.WAITING,
            State.STARTING,
            State.QUEUED,
            State.FAILED,
            State.CANCELLED,
            State.EXPIRED,
        }
    ),
    State.WAITING: frozenset(
        {
            State.REQUESTED,
            State.STARTING,
            State.QUEUED,
            State.FAILED,
            State.CANCELLED,
            State.EXPIRED,
        }
    ),
    # Back to `requested` only where the service surely did not take the start.
    State.STARTING: frozenset(
        {
            State.REQUESTED,
            State.QUEUED,
            State.RUNNING,
            State.CANCELLING,
            State.SUCCEEDED,
            State.FAILED,
            State.CANCELLED,
            State.EXPIRED,
            State.LOST,
        }
    ),
    State.QUEUED: frozenset(
        {
            State.RUNNING,
            State.CANCELLING,
            State.SUCCEEDED,
            State.FAILED,
            State.CANCELLED,
            State.EXPIRED,
            State.LOST,
        }
    ),
    # Back to `queued` is real: a spot interruption puts a training into the queue again.
    State.RUNNING: frozenset(
        {
            State.QUEUED,
            State.CANCELLING,
            State.SUCCEEDED,
            State.FAILED,
            State.CANCELLED,
            State.EXPIRED,
            State.LOST,
        }
    ),
    State.CANCELLING: frozenset(
        {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.EXPIRED, State.LOST}
    ),
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
    State.EXPIRED: frozenset(),
    State.LOST: frozenset(),
}
"""Every legal move. What is not in the table does not happen, whatever a service says."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What `step` and its siblings decide: the next job and the events to store with it.

    `send_cancel`: the service has yet to be told of a cancel. `take`: exclusive keys that the
    job must get with it, or nothing of it happens.
    """

    job: Job
    events: tuple[JobEvent, ...] = ()
    send_cancel: bool = False
    take: tuple[str, ...] = ()

    @property
    def ended_now(self) -> bool:
        return any(event.type is EventType.JOB_FINISHED for event in self.events)


class Recorder:
    """A job in the making. `change` sets the job's own fields; `start`, `cancel`, `seen` and
    `watch` set those of the group of that name. `note` adds an event; `move` and `end` do both."""

    def __init__(self, job: Job, now: datetime) -> None:
        self.now = now
        self._job = job
        self._unapplied: dict[str, Any] = {}
        self._groups: dict[str, dict[str, Any]] = {}
        self._events: list[JobEvent] = []
        self._take: list[str] = []

    @property
    def job(self) -> Job:
        """The job as changed so far."""
        # Changes are gathered: a copy of a job costs as much as a query.
        if self._groups:
            for name, fields in self._groups.items():
                self._unapplied[name] = replace(getattr(self._job, name), **fields)
            self._groups = {}
        if self._unapplied:
            self._job = replace(self._job, **self._unapplied)
            self._unapplied = {}
        return self._job

    def change(self, **fields: Any) -> None:
        self._unapplied |= fields

    def take(self, *keys: str) -> None:
        """Exclusive keys that the job needs from now on, those that it has left out."""
        new = [key for key in keys if key not in self.job.holds]
        self._take += new
        self.change(holds=(*self.job.holds, *new))

    def start(self, **fields: Any) -> None:
        self._change_group("start", fields)

    def cancel(self, **fields: Any) -> None:
        self._change_group("cancel", fields)

    def seen(self, **fields: Any) -> None:
        self._change_group("seen", fields)

    def watch(self, **fields: Any) -> None:
        self._change_group("watch", fields)

    def _change_group(self, name: str, fields: Mapping[str, Any]) -> None:
        self._groups.setdefault(name, {}).update(fields)

    def note(
        self,
        type: EventType,
        data: Mapping[str, Any] | None = None,
        *,
        previous: State | None = None,
    ) -> None:
        sequence = self.job.event_count + 1
        self.change(event_count=sequence, updated_at=self.now)
        self._events.append(
            JobEvent(
                job_id=self.job.id,
                sequence=sequence,
                type=type,
                at=self.now,
                state=self.job.state,
                previous_state=previous,
                data=data or {},
            )
        )

    def move(
        self,
        state: State,
        data: Mapping[str, Any] | None = None,
        *,
        type: EventType = EventType.JOB_STATE_CHANGED,
    ) -> None:
        """Move to another state that is not an end, and note it.

        Raises:
            ValueError: the move is not in `MOVES`, which is a fault of the caller.
        """
        previous = self.job.state
        if state not in MOVES[previous] or state.is_end:
            raise ValueError(f"illegal move from {previous} to {state}")
        self.change(state=state)
        self.note(type, data, previous=previous)

    def uncancel(self) -> None:
        """The one move that is not in `MOVES`: a cancel that nobody wanted, and nobody was told of,
        is taken back."""
        previous = self.job.state
        state = State.QUEUED if self.job.started_at is None else State.RUNNING
        self.change(state=state, may_still_cost=False)
        self.note(EventType.JOB_STATE_CHANGED, previous=previous)

    def end(self, reason: EndReason, at: datetime, data: Mapping[str, Any] | None = None) -> None:
        """Write the one and only end. `at` is when the service says it ended, or now."""
        previous = self.job.state
        state = END_STATE_OF[reason]
        if state not in MOVES[previous]:
            raise ValueError(f"illegal move from {previous} to {state}")
        started = self.job.started_at or self.job.created_at
        self.change(state=state, end_reason=reason, ended_at=max(at, started))
        self.watch(next_poll_at=None, reserved_call_at=None)
        self.seen(queue_position=None)
        self.note(
            EventType.JOB_FINISHED, {"end_reason": reason.value, **(data or {})}, previous=previous
        )

    def error(self, failure: Failure) -> None:
        self.watch(last_error=bounded_failure(failure))

    def decide(self, *, send_cancel: bool = False) -> Decision:
        return Decision(self.job, tuple(self._events), send_cancel, tuple(self._take))
