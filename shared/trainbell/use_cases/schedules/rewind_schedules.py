"""After a clock was ahead and corrected: schedules are due when they are by this one."""

from __future__ import annotations

from trainbell.domain.rewinding import rewound_schedule
from trainbell.domain.settings import Schedule
from trainbell.use_cases.ground.services import Services


def rewind_schedules(services: Services) -> int:
    """Returns how many had times of the future."""
    now, cursor, changed = services.clock.now(), None, 0
    while True:
        page = services.store.list_config(Schedule, cursor=cursor)
        for schedule in page.items:
            mended = rewound_schedule(schedule, now)
            if mended is not schedule:
                services.store.put_config(mended)
                changed += 1
        cursor = page.next_cursor
        if cursor is None:
            return changed
