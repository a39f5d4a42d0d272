"""Words for people, the same on every channel: what happened, how long it took, how good it is."""

from __future__ import annotations

import math
import re
from datetime import timedelta

from trainbell.domain.events import EventType
from trainbell.domain.job import EndReason, Job, State
from trainbell.plain_text import one_line
from trainbell.ports import Notice
from trainbell.redaction import redacted_text

_ENDED = {
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELLED: "was cancelled",
    State.EXPIRED: "ran past its deadline",
    State.LOST: "was lost",
}
_WHY = {
    EndReason.START_REJECTED: "The service refused to start it.",
    EndReason.CANCELLED_BEFORE_START: "It was cancelled before anything was started.",
    EndReason.CANCEL_CONFIRMED: "The service confirmed the cancel.",
    EndReason.CANCELLED_AT_SERVICE: "It was cancelled at the service, not by Trainbell.",
    EndReason.DEADLINE_EXCEEDED: "Its deadline passed, and it was stopped.",
    EndReason.DEADLINE_EXCEEDED_STILL_RUNNING: (
        "Its deadline passed, and the service has no way to stop it."
    ),
    EndReason.UNKNOWN_TO_SERVICE: "The service no longer knows it.",
}
_MINUTE = 60
_HOUR = 3600
_DAY = 86_400

# The measures that people look at first, best known first; the rest follows by name.
_KEY_METRICS = re.compile(
    r"(accuracy)|(^f1|f1$|f1_?score)|(auc)|(mean_?average_?precision|^map)|(average_?precision)"
    r"|(precision)|(recall)|(loss)|(error|rmse|mae)",
    re.IGNORECASE,
)


def title_of(job: Job) -> str:
    """What people call the job: its name; else what it makes or learns from, and where.

    A model or dataset has many jobs, so those two do not stand alone.
    """
    if job.order.name:
        return one_line(job.order.name)
    subject, what = (
        job.order.model or job.order.dataset,
        f"{job.order.kind} at {job.order.connection}",
    )
    return one_line(f"{subject} ({what})") if subject else one_line(what)


def summary_of(notice: Notice) -> str:
    """One short sentence without an end mark, in plain text."""
    event, job = notice.event, notice.job
    title = title_of(job)
    if event.type is EventType.CHANNEL_TESTED:
        return "A test message from Trainbell"
    if event.type is EventType.JOB_FINISHED:
        return f"{title} {_ENDED.get(event.state, event.state.value)} after {took(job)}"
    if event.type is EventType.JOB_STARTED:
        return f"{title} was started"
    if event.type is EventType.UNKNOWN_STATUS_SEEN:
        return f"{title} has a status that Trainbell does not know"
    before = f" (before: {event.previous_state.value})" if event.previous_state else ""
    return f"{title} is now {event.state.value}{before}"


def reason_of(job: Job) -> str | None:
    """Why it did not succeed, in the service's own words where it gave any; else in ours."""
    if job.state is State.SUCCEEDED or job.end_reason is None:
        return None
    own_words = job.seen.message or (job.watch.last_error.message if job.watch.last_error else None)
    if job.state is State.FAILED and own_words:
        return redacted_text(own_words.strip())
    if job.end_reason is EndReason.EXIT_CODE and job.seen.exit_code is not None:
        return f"It ended with exit code {job.seen.exit_code}."
    if job.end_reason is EndReason.SIGNAL and job.seen.signal:
        return f"It was ended by {job.seen.signal}."
    return _WHY.get(job.end_reason)


def cost_warning(job: Job) -> str | None:
    """A sentence where the job may still run up costs at its service."""
    if job.may_still_cost or job.end_reason is EndReason.DEADLINE_EXCEEDED_STILL_RUNNING:
        return "It may still be running at the service, and may still cost money."
    return None


def key_metrics(job: Job, at_most: int) -> list[tuple[str, float]]:
    """The few numbers to look at first: well-known measures, then the rest by name."""
    finite = [(name, v) for name, v in job.seen.performance.metrics.items() if math.isfinite(v)]
    return sorted(finite, key=lambda metric: (_rank(metric[0]), metric[0]))[:at_most]


def took(job: Job) -> str:
    """How long it ran (so far, where it has not ended)."""
    ended = job.ended_at or job.updated_at or job.created_at
    return spell_duration(job.duration(ended))


def spell_duration(duration: timedelta) -> str:
    """The two largest units: `41 s`, `3 min 12 s`, `2 h 5 min`, `56 days 3 h`."""
    seconds = max(0, int(duration.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return _two(seconds // _MINUTE, "min", seconds % _MINUTE, "s")
    if seconds < _DAY:
        return _two(seconds // _HOUR, "h", seconds % _HOUR // _MINUTE, "min")
    days = seconds // _DAY
    return _two(days, "day" if days == 1 else "days", seconds % _DAY // _HOUR, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit}" + (f" {small} {small_unit}" if small else "")


def _rank(name: str) -> int:
    match = _KEY_METRICS.search(name)
    return match.lastindex if match and match.lastindex else 99
