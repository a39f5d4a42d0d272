"""Notices that the machine's clock was put back, and mends what it wrote while it was ahead."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime
from functools import cache

from trainbell.domain.rewinding import CLOCKS_DIFFER_BY
from trainbell.use_cases.ground.services import Services, log
from trainbell.use_cases.jobs.rewind_jobs import rewind_jobs
from trainbell.use_cases.schedules.rewind_schedules import rewind_schedules
from trainbell.use_cases.settings.forget_lines import forget_lines
from trainbell.use_cases.telling.resume_telling import resume_telling

AGAIN_AFTER_SECONDS = 5.0


class ClockSteps:
    """Compares the clock with the one that only goes forward."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ahead: float | None = None
        self._mend_at = math.inf

    def was_put_back(self, now: datetime) -> bool:
        """Whether the clock has gone back; said again after a while, until it is `mended`."""
        moment = self._monotonic()
        ahead = now.timestamp() - moment
        before, self._ahead = self._ahead, ahead
        if before is not None and ahead < before - CLOCKS_DIFFER_BY.total_seconds():
            self._mend_at = moment
        if moment < self._mend_at:
            return False
        self._mend_at = moment + AGAIN_AFTER_SECONDS
        return True

    def mended(self) -> None:
        self._mend_at = math.inf


def mend_times(services: Services) -> None:
    """What was written by a clock that was ahead binds nobody. Also right where none was.

    Raises:
        StoreError: something could not be mended; to be tried again, which does no harm.
    """

    @cache
    def forget() -> None:
        # First: the next try, should this process die, finds what is left, and does it again.
        forget_lines(services)

    jobs = rewind_jobs(services, first=forget)
    schedules = rewind_schedules(services, first=forget)
    resume_telling(services)
    if jobs or schedules:
        log.warning(
            "the clock was ahead: %d jobs and %d schedules had times of the future, and are"
            " looked at now",
            jobs,
            schedules,
        )
