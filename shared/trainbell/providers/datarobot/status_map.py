"""DataRobot's states and ours, a table per vocabulary. A word in no table is polled on.

Which words are ends is documented for the asynchronous statuses and inferred for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping

from trainbell.domain.job import State

TEST_STATUSES: Mapping[str, State] = {
    "not_tested": State.QUEUED,
    "queued": State.QUEUED,
    "in_progress": State.RUNNING,
    "succeeded": State.SUCCEEDED,
    "warning": State.SUCCEEDED,
    "failed": State.FAILED,
    "aborted": State.FAILED,
    # Nothing was tested: whoever waits for this test must not take it for passed.
    "skipped": State.FAILED,
    "canceled": State.CANCELLED,
}
"""`overallStatus` of a test; each of its checks has one of these words, too."""

NOT_STARTED = "not started"
"""No word of the service: what we call its 422 for a build that it accepted and no longer has."""

BUILD_STATUSES: Mapping[str, State] = {
    "submitted": State.QUEUED,
    "processing": State.RUNNING,
    "success": State.SUCCEEDED,
    "failed": State.FAILED,
    NOT_STARTED: State.CANCELLED,
}
"""`buildStatus` of a dependency build. There is no word for a cancelled one: it is gone."""

CONVERSION_STATUSES: Mapping[str, State] = {
    "pending": State.QUEUED,
    "in progress": State.RUNNING,
    "stopping": State.CANCELLING,
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
    "stopped": State.CANCELLED,
}
"""A conversion has three flags and no word; `conversion_word` reads them."""

ASYNC_STATUSES: Mapping[str, State] = {
    "INITIALIZED": State.QUEUED,
    "RUNNING": State.RUNNING,
    "COMPLETED": State.SUCCEEDED,
    "ERROR": State.FAILED,
    "ABORTED": State.CANCELLED,
    "EXPIRED": State.FAILED,
}
"""`GET /status/{id}/`. A 303 is COMPLETED. EXPIRED ends the work without a result."""

ASSIGNMENT_STATUSES: Mapping[str, State] = {
    "assignment in progress": State.RUNNING,
    "assigned": State.SUCCEEDED,
    "assignment error": State.FAILED,
}
"""The flags of a version's `trainingData`, in words."""

IMPACT_STATUSES: Mapping[str, State] = {
    "in progress": State.RUNNING,
    "available": State.SUCCEEDED,
}
"""A version's feature impact where no status id is known: its 422 and its 200."""


def conversion_word(in_progress: bool | None, succeeded: bool | None, should_stop: bool) -> str:
    """The three flags as one word; `ended without a verdict` is in no table."""
    if in_progress:
        return "stopping" if should_stop else "in progress"
    if succeeded is not None:
        stopped = should_stop and not succeeded
        return "stopped" if stopped else "succeeded" if succeeded else "failed"
    if should_stop:
        return "stopped"
    return "pending" if in_progress is None else "ended without a verdict"
