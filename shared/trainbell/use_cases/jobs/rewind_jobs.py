"""After a clock was ahead and corrected: its jobs are looked at now, not when it had thought."""

from __future__ import annotations

from trainbell.domain.rewinding import rewound
from trainbell.errors import NotFound, RecordUnreadable
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services, log


def rewind_jobs(services: Services) -> int:
    """Look at every job that is not due yet. Returns how many had times of the future."""
    now = services.clock.now()
    changed = 0
    for due in services.store.watched():
        if due.due_at <= now:
            continue
        try:
            job = services.store.get(due.id)
            changed += record(services, job, lambda each: rewound(each, now))[0] is not job
        except (NotFound, RecordUnreadable):
            continue
        except Exception:  # one job that cannot be mended must not keep the others from it
            log.exception("job %s may be looked at late: its times lie in the future", due.id)
    return changed
