"""Nothing is given up in silence: the job says what was not told to whom, and why."""

from __future__ import annotations

from trainbell.domain.events import EventType
from trainbell.domain.outbox import OutboxEntry
from trainbell.domain.outbox_events import delivery_given_up
from trainbell.errors import NotFound, RecordUnreadable
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services, log


def note_given_up(services: Services, entry: OutboxEntry) -> None:
    """Record the event, before the delivery itself is settled: a process that dies in between
    leaves a repeat, never a silence.

    Raises:
        StoreError: nothing is settled; it is tried again.
    """
    log.error("gave up telling %s to %s: %s", entry.event.id, entry.channel, entry.last_error)
    if entry.event.type is EventType.DELIVERY_GIVEN_UP:
        return  # That a give-up could not be told is no further event.
    channel, event_id, why = entry.channel or "", entry.event.id, entry.last_error or ""
    now = services.clock.now()
    try:
        job = services.store.get(entry.event.job_id)
        record(services, job, lambda each: delivery_given_up(each, channel, event_id, why, now))
    except (NotFound, RecordUnreadable):
        return
