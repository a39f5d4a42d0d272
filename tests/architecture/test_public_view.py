"""One allow-list of what leaves the house: a field that a job gains stays inside until named."""

from __future__ import annotations

from tests.builders import NOON, a_running_job
from trainbell.channels.cloud_event import cloud_event
from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.job import State
from trainbell.ports import Notice
from trainbell.views.job import JobSummary, JobView

SUMMARY = {
    *("id", "provider", "connection", "kind", "project", "name", "dataset", "model", "tags"),
    *("deadline_at", "state", "end_reason", "has_ended", "vendor_status", "stage", "progress"),
    *("eta_at", "queue_position", "message", "performance", "may_still_cost", "created_at"),
    *("started_at", "ended_at", "duration_seconds", "next_poll_at", "last_error", "schedule"),
    *("retry_of", "found_again_of", "requested_by", "url"),
}
FACTS = SUMMARY | {
    *("parameters", "handle", "exit_code", "signal", "cancel_requested_at"),
    *("cancel_requested_by", "error_details"),
}
EVERYTHING = FACTS | {
    *(
        "when_busy",
        "on_unclear",
        "min_interval_seconds",
        "max_interval_seconds",
        "unknown_statuses",
        "cut",
        "in_full",
    ),
    *("cancel_sent_at", "start_attempts", "polls", "failed_polls_in_a_row", "last_polled_at"),
    *("last_seen_at", "moved_at", "updated_at", "revision"),
}


def test_events_carry_the_public_facts_and_nothing_else() -> None:
    job = a_running_job(start_lease_until=NOON, cancel_cause="deadline")
    event = JobEvent(
        job_id=job.id, sequence=1, type=EventType.JOB_STARTED, at=NOON, state=State.QUEUED
    )
    told = cloud_event(Notice(id=event.id, event=event, job=job))
    assert set(told["data"]["job"]) == FACTS


def test_the_api_shows_these_fields_and_no_other() -> None:
    assert set(JobSummary.model_fields) == SUMMARY
    assert set(JobView.model_fields) == EVERYTHING
