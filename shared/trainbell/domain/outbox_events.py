"""What becomes of telling is an event of the job, too."""

from __future__ import annotations

from datetime import datetime

from trainbell.domain.events import EventType
from trainbell.domain.job import Job
from trainbell.domain.recording import Decision, Recorder


def delivery_given_up(job: Job, channel: str, event_id: str, why: str, now: datetime) -> Decision:
    """An event of the job was not told to a channel and will not be: that is an event, too."""
    record = Recorder(job, now)
    data = {"channel": channel, "event_id": event_id, "error": why}
    record.note(EventType.DELIVERY_GIVEN_UP, data)
    return record.decide()
