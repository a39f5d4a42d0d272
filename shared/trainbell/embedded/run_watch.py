"""Looks at a local job when its run changes: looking is free there, so nobody need wait for it.

The polling intervals stay, as the safety net for signs that were missed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainbell.embedded.loop import EarlyLook
from trainbell.providers.local.run_changes import Change, RunChanges
from trainbell.use_cases.ground.services import log

PROGRESS_SECONDS = 0.5
"""A job that reports all the time is looked at this often; its bar moves each second."""

AGAIN_SECONDS = 0.05
"""While it is being looked at, or its start is in flight: what was read may be older."""

LONGEST_PAUSE_SECONDS = 5.0
TRIES = 200
BATCH_SECONDS = 0.05


@dataclass(slots=True)
class _Due:
    """`ended`: the run is over, so it is looked at until the job is, too (a full disk may have
    kept that from being stored)."""

    at: float
    ended: bool
    pause: float = AGAIN_SECONDS
    tries: int = TRIES


class RunWatch:
    """One thread. `look` hands a job out, and says what came of that.

    Only the time of the last look is kept, and only while a job changes.
    """

    def __init__(self, root: Path, look: Callable[[str], EarlyLook]) -> None:
        """Raises OSError where the runs' directory cannot be made."""
        self._changes = RunChanges(root)
        self._look = look
        self._stopping = threading.Event()
        self._looked_at: dict[str, float] = {}
        self._due: dict[str, _Due] = {}
        self._thread = threading.Thread(target=self._work, name="trainbell-runs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        self._stopping.set()
        self._changes.wake()
        self._thread.join(timeout)
        if not self._thread.is_alive():
            self._changes.close()

    def _work(self) -> None:
        while not self._stopping.is_set():
            for change in self._changes.wait(self._seconds_until_due()):
                self._notice(change)
            self._look_at_due()
            # A storm of reports costs 20 wake-ups a second.
            self._stopping.wait(BATCH_SECONDS)

    def _notice(self, change: Change) -> None:
        now = time.monotonic()
        rests = 0.0 if change.milestone else self._looked_at.get(change.run, 0.0) + PROGRESS_SECONDS
        known = self._due.get(change.run)
        at = max(now, rests)
        self._due[change.run] = _Due(
            at=at if known is None else min(at, known.at),
            ended=change.ended or (known is not None and known.ended),
        )

    def _seconds_until_due(self) -> float | None:
        if not self._due:
            return None
        return max(0.0, min(due.at for due in self._due.values()) - time.monotonic())

    def _look_at_due(self) -> None:
        now = time.monotonic()
        self._looked_at = {r: t for r, t in self._looked_at.items() if now - t < PROGRESS_SECONDS}
        for run, due in list(self._due.items()):
            if due.at > now:
                continue
            came = self._try(run)
            if came is EarlyLook.HANDED_OUT:
                self._looked_at[run] = now
            over = came is EarlyLook.OVER or (came is EarlyLook.HANDED_OUT and not due.ended)
            if over or not due.tries:
                del self._due[run]
            else:
                due.at = now + due.pause
                due.pause = min(due.pause * 1.5, LONGEST_PAUSE_SECONDS)
                due.tries -= 1

    def _try(self, run: str) -> EarlyLook:
        try:
            return self._look(run)
        except Exception as error:  # noqa: BLE001 - the store may be full; it is tried again soon
            log.debug("a change of job %s is not looked at yet: %s", run, error)
            return EarlyLook.LATER
