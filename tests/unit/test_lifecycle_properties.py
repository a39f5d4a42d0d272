"""The promises of the lifecycle, in any order of what may happen: late, repeated, contradictory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.builders import NOON, a_job, changed, failed_poll, seen
from trainbell.domain import starting, unsent
from trainbell.domain.cancelling import cancel_is_unsent, cancel_sent, request_cancel
from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.failure import FailureKind
from trainbell.domain.job import END_STATE_OF, EndReason, Job, State
from trainbell.domain.lifecycle import WatchRules, replace_watcher, step
from trainbell.domain.observation import OBSERVABLE_STATES
from trainbell.domain.polling import Pace
from trainbell.domain.recording import MOVES, Decision
from trainbell.domain.starting import Settling

SETTLE = 120.0
GRACE = 300.0
END_REASONS = [None, *EndReason]
STATUSES = ["Training", "Odd", "Odder", *(f"phase {i}" for i in range(20))]

# Ends twice as rare as the rest: after an end there is nothing more to see.
SEEN_STATES = [None, State.QUEUED, State.RUNNING, State.CANCELLING] * 2 + sorted(OBSERVABLE_STATES)

ages = st.sampled_from([0.0, 0.0, 1.0, 30.0, 400.0])


class Lifecycle(RuleBasedStateMachine):
    """One job at a service that may say anything, and a clock that moves on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.job = a_job()
        self.events: list[JobEvent] = []
        self.sent_at: datetime | None = None
        self.service_cancelled = False
        self.missing: list[datetime] = []

    @initialize(
        can_cancel=st.booleans(),
        deadline=st.sampled_from([None, None, 30.0, 2000.0]),
        at_service=st.booleans(),
    )
    def begins(self, can_cancel: bool, deadline: float | None, at_service: bool) -> None:
        self.watch_rules = WatchRules(can_cancel=can_cancel, missing_grace_seconds=GRACE)
        at = None if deadline is None else NOON + timedelta(seconds=deadline)
        self.job = a_job(deadline_at=at)
        if at_service:
            self.start_is_sent()
            self.start_is_accepted()

    # What may happen.

    @rule(seconds=st.sampled_from([0.001, 5.0, 61.0, 301.0, 3000.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.job.state in (State.REQUESTED, State.WAITING))
    @rule()
    def start_is_sent(self) -> None:
        self.take(starting.begin(self.job, self.now))
        self.sent_at = self.now

    @rule()
    def start_is_accepted(self) -> None:
        assume(self.sent_at is not None)
        self.take(starting.accepted(self.job, {"id": 1}, self.now, Pace()))

    @rule(kind=st.sampled_from(FailureKind))
    def start_is_postponed(self, kind: FailureKind) -> None:
        self.take(
            starting.postponed(
                self.job, self.job.start.attempts, self.failure(kind), self.now, Pace()
            )
        )

    @rule(kind=st.sampled_from(FailureKind))
    def start_is_unclear(self, kind: FailureKind) -> None:
        self.take(
            starting.unclear(
                self.job, self.job.start.attempts, self.failure(kind), self.now, Pace()
            )
        )

    @rule()
    def start_is_refused(self) -> None:
        failure = self.failure(FailureKind.REJECTED)
        self.take(starting.refused(self.job, self.job.start.attempts, failure, self.now))

    @rule(took=st.integers(0, 90), look_ups=st.integers(1, 3))
    def start_is_not_found(self, took: int, look_ups: int) -> None:
        before, settling = self.job, Settling(SETTLE, look_ups)
        looked_at = self.now - timedelta(seconds=took)
        self.take(
            starting.not_found(self.job, self.job.start.attempts, looked_at, self.now, settling)
        )
        if before.start_is_unclear and not self.job.start_is_unclear:
            assert self.sent_at is not None
            assert (looked_at - self.sent_at).total_seconds() >= SETTLE
            assert before.start.lease_until is None or looked_at >= before.start.lease_until
            assert before.start.clean_look_ups + 1 >= look_ups

    @rule()
    def engine_restarts(self) -> None:
        self.take(starting.not_in_flight(self.job, self.now))

    @rule()
    def start_is_held_back(self) -> None:
        self.take(unsent.held_back(self.job, "dataset:cats", "other", self.now, Pace()))

    @rule()
    def what_was_not_sent_is_settled(self) -> None:
        self.take(unsent.settle_unsent(Decision(self.job), self.now))

    @rule(
        state=st.sampled_from(SEEN_STATES),
        status=st.sampled_from(STATUSES),
        reason=st.sampled_from(END_REASONS),
        progress=st.none() | st.floats(-1, 2),
        age=ages,
    )
    def service_is_observed(
        self,
        state: State | None,
        status: str,
        reason: EndReason | None,
        progress: float | None,
        age: float,
    ) -> None:
        at = self.now - timedelta(seconds=age)
        what = seen(state, at=at, vendor_status=status, end_reason=reason, progress=progress)
        if self.job.handle is not None and state is State.CANCELLED:
            self.service_cancelled = True
        before = self.job
        decision = step(before, what, self.now, self.watch_rules, Pace())
        if state is None and decision.job.is_ended:
            deadline = EndReason.DEADLINE_EXCEEDED_STILL_RUNNING
            assert before.is_ended or decision.job.end_reason is deadline
        if decision.ended_now and state is not None and decision.job.state is not state:
            assert decision.job.state is State.EXPIRED
            assert before.order.deadline_at is not None
        self.missing = []
        self.take(decision)
        self.deadline_was_watched(before)

    @rule(kind=st.sampled_from([*FailureKind, FailureKind.MISSING]), age=ages, proven=st.booleans())
    def poll_fails(self, kind: FailureKind, age: float, proven: bool) -> None:
        before, failure = self.job, self.failure(kind, age)
        decision = step(
            before, failure, self.now, self.watch_rules, Pace(), missing_is_proven=proven
        )
        if kind is FailureKind.MISSING:
            self.missing.append(self.now)
        elif before.seen.at is None or failure.at > before.seen.at:
            self.missing = []
        if decision.ended_now and decision.job.state is State.LOST:
            assert kind is FailureKind.MISSING
            assert proven
            assert len(self.missing) >= 3
            assert (self.now - self.missing[0]).total_seconds() >= GRACE
        elif decision.ended_now:
            assert decision.job.end_reason is EndReason.DEADLINE_EXCEEDED_STILL_RUNNING
        assert decision.job.start.attempts == before.start.attempts
        by_deadline = before.order.deadline_at is not None and self.now >= before.order.deadline_at
        if decision.job.cancel.requested_at != before.cancel.requested_at:
            assert by_deadline
        self.take(decision)
        self.deadline_was_watched(before)

    @rule()
    def cancel_is_wanted(self) -> None:
        assume(self.watch_rules.can_cancel)
        self.take(request_cancel(self.job, "ann", self.now))

    @precondition(lambda self: cancel_is_unsent(self.job))
    @rule()
    def cancel_is_sent(self) -> None:
        self.take(cancel_sent(self.job, self.now))

    @rule()
    def watcher_is_replaced(self) -> None:
        watch = self.job.watch.number
        self.take(replace_watcher(self.job, self.now, "test"))
        assert self.job.watch.number == watch + (not self.job.is_ended)

    # What must hold after each of them.

    def failure(self, kind: FailureKind, age: float = 0.0) -> Any:
        return failed_poll(kind, at=self.now - timedelta(seconds=age), message=kind.value)

    def take(self, decision: Decision) -> None:
        before, after = self.job, decision.job
        if before.is_ended:
            # Nothing but an alarm: a training that was found after the end.
            assert {event.type for event in decision.events} <= {EventType.ORPHAN_FOUND}
            assert changed(after, may_still_cost=False, event_count=0, updated_at=None) == changed(
                before, may_still_cost=False, event_count=0, updated_at=None
            )
        if decision.ended_now:
            assert not decision.send_cancel
        _only_legal_moves(before, decision.events)
        self.job = after
        self.events.extend(decision.events)

    def deadline_was_watched(self, before: Job) -> None:
        if (
            before.handle is None
            or before.order.deadline_at is None
            or self.now < before.order.deadline_at
        ):
            return
        assert self.job.is_ended or self.job.cancel.requested_at is not None

    @invariant()
    def the_trail_has_no_gap(self) -> None:
        assert [event.sequence for event in self.events] == list(range(1, len(self.events) + 1))
        assert self.job.event_count == len(self.events)

    @invariant()
    def the_end_is_written_once(self) -> None:
        ends = [event for event in self.events if event.type is EventType.JOB_FINISHED]
        assert len(ends) == self.job.is_ended
        assert (self.job.end_reason is not None) == self.job.is_ended
        assert (self.job.ended_at is not None) == self.job.is_ended
        if self.job.end_reason is not None:
            assert END_STATE_OF[self.job.end_reason] is self.job.state

    @invariant()
    def an_active_job_has_a_next_look_and_an_ended_one_has_none(self) -> None:
        assert (self.job.due_at is None) == (self.job.is_ended and self.job.state is not State.LOST)

    @invariant()
    def a_next_look_is_not_put_off_beyond_the_longest_interval(self) -> None:
        if self.job.watch.next_poll_at is not None:
            wait = (self.job.watch.next_poll_at - self.now).total_seconds()
            assert wait <= self.job.order.max_interval_seconds

    @invariant()
    def an_unknown_status_is_reported_once(self) -> None:
        told = [
            event.data["vendor_status"]
            for event in self.events
            if event.type is EventType.UNKNOWN_STATUS_SEEN
        ]
        assert len(told) == len(set(told))

    @invariant()
    def cancelled_means_confirmed_or_never_sent(self) -> None:
        if self.job.state is State.CANCELLED:
            assert self.service_cancelled or self.job.handle is None
            if not self.service_cancelled:
                assert self.job.end_reason is EndReason.CANCELLED_BEFORE_START
                assert self.job.start.sent_at is None

    @invariant()
    def a_start_is_counted_whenever_it_is_sent(self) -> None:
        attempts = sum(event.type is EventType.START_ATTEMPTED for event in self.events)
        assert self.job.start.attempts == attempts

    @invariant()
    def the_clock_of_events_never_goes_back(self) -> None:
        times = [event.at for event in self.events]
        assert times == sorted(times)


def _only_legal_moves(before: Job, events: Sequence[JobEvent]) -> None:
    state = before.state
    for event in events:
        if event.state is not state:
            assert event.previous_state is state
            assert event.state in MOVES[state]
        state = event.state


def test_the_promises_hold_whatever_happens_in_whatever_order() -> None:
    profile = settings(max_examples=250, stateful_step_count=40, deadline=None, derandomize=True)
    run_state_machine_as_test(Lifecycle, settings=profile)
