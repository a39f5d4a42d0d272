"""Durations of earlier jobs, kept in memory for a while: they change slowly, polls come often."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trainbell.domain.durations import DurationHistory, history_keys
from trainbell.domain.job import Job
from trainbell.ports import JobStore

FRESH_FOR = timedelta(minutes=1)
KEPT = 1024


@dataclass(slots=True)
class Histories:
    """Reads `JobStore.durations` at most once a minute for each kind of job."""

    store: JobStore
    _known: dict[tuple[str, ...], tuple[datetime, DurationHistory]] = field(default_factory=dict)

    def of(self, job: Job, now: datetime) -> DurationHistory:
        keys = history_keys(job)
        known = self._known.get(keys)
        if known is not None and now - known[0] < FRESH_FOR:
            return known[1]
        history = self.store.durations(keys)
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[keys] = (now, history)
        return history
