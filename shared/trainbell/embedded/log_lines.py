"""What `trainbell up` says of trouble that lasts: one line when it begins, one an hour meanwhile.

A full disk fails every look at every job and every delivery, many times a second; told each time,
with a traceback, it would fill what is left of the disk.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from trainbell.errors import TrainbellError

OVER_AFTER_SECONDS = 600.0
"""A condition that was not met for so long is over: the next time it is said anew."""

REMIND_SECONDS = 3600.0
CONDITIONS_AT_MOST = 1000

Condition = tuple[str, ...]


@dataclass(slots=True)
class _Told:
    at: float
    last: float
    kept_back: int = 0


class OncePerCondition(logging.Filter):
    """For a handler. A condition is an error of Trainbell's own with its words, wherever it is met;
    of any other record, its text and its error. Errors of Trainbell's own need no traceback."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._told: dict[Condition, _Told] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, TrainbellError):
            condition: Condition = (type(error).__name__, str(error))
            record.msg, record.args = "%s: %s", condition
            record.exc_info = record.exc_text = None
        elif error is not None:
            condition = (str(record.msg), type(error).__name__, str(error))
        else:
            condition = (record.getMessage(),)
        return self._is_news(condition, record)

    def _is_news(self, condition: Condition, record: logging.LogRecord) -> bool:
        now = self._monotonic()
        told = self._told.get(condition)
        if told is None or now - told.last >= OVER_AFTER_SECONDS:
            self._forget_what_is_over(now)
            self._told[condition] = _Told(now, now)
            return True
        told.last = now
        told.kept_back += 1
        if now - told.at < REMIND_SECONDS:
            return False
        record.msg = f"{record.msg} (still so; met {told.kept_back} times since it was last said)"
        told.at, told.kept_back = now, 0
        return True

    def _forget_what_is_over(self, now: float) -> None:
        if len(self._told) < CONDITIONS_AT_MOST:
            return
        lasting = [c for c, told in self._told.items() if now - told.last < OVER_AFTER_SECONDS]
        # More conditions at once than anybody reads: the oldest are said once more.
        self._told = {c: self._told[c] for c in lasting[-CONDITIONS_AT_MOST // 2 :]}
