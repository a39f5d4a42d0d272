"""After a clock was ahead and corrected: its jobs are looked at now, not when it had thought."""

from __future__ import annotations

from collections.abc import Callable

from trainbell.domain.rewinding import rewound
from trainbell.errors import NotFound, RecordUnreadable, StoreError
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services, log


def rewind_jobs(services: Services, *, first: Callable[[], None]) -> int:
    """Look at every job that is not due yet. Returns how many had times of the future. `first` is
    called before each change, and may say nothing the second time.

    Raises:
        StoreError: the store failed at some of them; all others are mended.
    """
    now = services.clock.now()
    changed, failed = 0, None
    for due in services.store.watched():
        if due.due_at <= now:
            continue
        try:
            job = services.store.get(due.id)
            if rewound(job, now).job is job:
                continue
            first()
            record(services, job, lambda each: rewound(each, now))
            changed += 1
        except (NotFound, RecordUnreadable):
            continue
        except StoreError as error:
            failed = error
        except Exception:  # one job that cannot be mended must not keep the others from it
            log.exception("job %s may be looked at late: its times lie in the future", due.id)
    if failed is not None:
        raise failed
    return changed
