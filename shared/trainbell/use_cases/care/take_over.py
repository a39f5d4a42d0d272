"""A restored store tells of the past: what it calls unsent may have been sent since."""

from __future__ import annotations

from datetime import datetime

from trainbell.domain.moving import taken_over
from trainbell.errors import RecordUnreadable
from trainbell.ports import Store
from trainbell.use_cases.ground.recording import change_of


def take_over_all(store: Store, now: datetime) -> int:
    """Have every watched job looked at, and every unsent one looked up before it is sent. Only for
    a store that nobody else uses yet. Returns how many there are."""
    # Gathered first: a job that moves within the list while it is read may come twice.
    ids = {due.id for due in store.watched()}
    for job_id in ids:
        try:
            job = store.get(job_id)
        except RecordUnreadable:
            continue  # Set aside by the store, which said so.
        store.save(change_of(taken_over(job, now)))
    return len(ids)
