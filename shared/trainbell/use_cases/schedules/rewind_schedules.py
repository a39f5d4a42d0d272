"""After a clock was ahead and corrected: schedules are due when they are by this one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from trainbell.domain.rewinding import rewound_schedule
from trainbell.domain.settings import Schedule
from trainbell.use_cases.ground.changing import change_setting
from trainbell.use_cases.ground.services import Services


def rewind_schedules(services: Services, *, first: Callable[[], None]) -> int:
    """Returns how many had times of the future. `first` is called before each change."""
    now, cursor, changed = services.clock.now(), None, 0
    while True:
        page = services.store.list_config(Schedule, cursor=cursor)
        for schedule in page.items:
            if rewound_schedule(schedule, now) is not schedule:
                first()
                changed += _rewind(services, schedule.name, now)
        cursor = page.next_cursor
        if cursor is None:
            return changed


def _rewind(services: Services, name: str, now: datetime) -> bool:
    def rewound(stored: Schedule | None) -> Schedule | None:
        mended = None if stored is None else rewound_schedule(stored, now)
        return None if mended is stored else mended

    return change_setting(services, Schedule, name, rewound) is not None
