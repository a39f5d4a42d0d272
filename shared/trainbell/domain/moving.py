"""A job goes from one installation to another: watched by one of them at any time, never by both.

The old one marks it (`moved_away`); from then on nothing there changes it, and what was under way
there loses the race for its revision. The new one takes it up (`arrived`). Where nobody marked it,
because the old installation is gone, what it did last is not known (`taken_over`).
"""

from __future__ import annotations

from datetime import datetime

from trainbell.domain.events import EventType
from trainbell.domain.job import Job, State
from trainbell.domain.recording import Decision, Recorder
from trainbell.domain.searching import is_searched_for

_UNSENT = (State.REQUESTED, State.WAITING)


def is_watched(job: Job) -> bool:
    """Whether anybody, here or elsewhere, still looks at it, or for it."""
    return not job.is_ended or is_searched_for(job) or job.has_moved


def moved_away(job: Job, now: datetime) -> Decision:
    """Another installation watches it from now on; the watchers here notice by the number."""
    if job.has_moved or not is_watched(job):
        return Decision(job)
    record = Recorder(job, now)
    record.watch(moved_at=now, number=job.watch.number + 1)
    record.watch(next_poll_at=None, reserved_call_at=None)
    record.note(EventType.JOB_MOVED_AWAY)
    return record.decide()


def copied(job: Job, now: datetime) -> Decision:
    """A copy of a job that is watched where it comes from: kept, and left alone."""
    if not is_watched(job) or job.watch.is_copy:
        return Decision(job)
    record = Recorder(job, now)
    record.watch(moved_at=now, is_copy=True, number=job.watch.number + 1)
    record.watch(next_poll_at=None, reserved_call_at=None)
    record.note(EventType.JOB_MOVED_AWAY, {"is_copy": True})
    return record.decide()


def taken_back(job: Job, now: datetime) -> Decision:
    """It was not taken up elsewhere after all: watched here again, from now on."""
    if not job.has_moved or job.watch.is_copy:
        return Decision(job)
    return _taken_up(job, now, {"back": True})


def arrived(job: Job, now: datetime) -> Decision:
    """It comes from where it was marked: looked at at once. A start that was under way there is
    looked up here as soon as its sender must be done."""
    if not is_watched(job) or job.watch.is_copy:
        return Decision(job)
    return _taken_up(job, now, {})


def taken_over(job: Job, now: datetime) -> Decision:
    """As `arrived`, from an installation that is gone, or from a copy of its records. What is not
    sent according to these may have been sent since: it is looked up before it is sent."""
    if not is_watched(job):
        return Decision(job)
    if job.state not in _UNSENT:
        return _taken_up(job, now, {"of_a_copy": True})
    record = Recorder(job, now)
    record.start(sent_at=now, sent_by=now, lease_until=None, clean_look_ups=0, asked_at=None)
    record.start(attempts=job.start.attempts + 1)
    record.watch(number=job.watch.number + 1, moved_at=None, is_copy=False)
    record.watch(next_poll_at=now, reserved_call_at=None)
    record.move(
        State.STARTING, {"of_a_copy": True, "was": job.state.value}, type=EventType.JOB_ARRIVED
    )
    return record.decide()


def _taken_up(job: Job, now: datetime, data: dict[str, bool]) -> Decision:
    record = Recorder(job, now)
    record.watch(moved_at=None, is_copy=False, number=job.watch.number + 1, reserved_call_at=None)
    # What the last look there failed by is not known to hold here.
    record.watch(next_poll_at=max(now, job.start.lease_until or now), failed_polls_in_a_row=0)
    record.note(EventType.JOB_ARRIVED, data)
    return record.decide()
