"""Looks at a local job when its run changes: looking is free there, so nobody need wait for it.

The polling intervals stay, as the safety net for signs that were missed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from trainbell.providers.local.run_changes import RunChanges
from trainbell.use_cases.ground.services import log

PROGRESS_SECONDS = 0.5
"""A job that reports all the time is looked at this often; its bar moves each second."""

AGAIN_SECONDS = 0.05
"""While it is being looked at, or its start is in flight: what was read may be older."""

TRIES = 400
BATCH_SECONDS = 0.05


class RunWatch:
    """One thread. `look` hands a job out; it says whether that is done.

    Only the time of the last look is kept, and only while a job changes.
    """

    def __init__(self, root: Path, look: Callable[[str], bool]) -> None:
        """Raises OSError where the runs' directory cannot be made."""
        self._changes = RunChanges(root)
        self._look = look
        self._stopping = threading.Event()
        self._looked_at: dict[str, float] = {}
        self._due: dict[str, tuple[float, int]] = {}
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
                self._notice(change.run, at_once=change.milestone)
            self._look_at_due()
            # A storm of reports costs 20 wake-ups a second.
            self._stopping.wait(BATCH_SECONDS)

    def _notice(self, run: str, *, at_once: bool) -> None:
        now = time.monotonic()
        at = now if at_once else max(now, self._looked_at.get(run, 0.0) + PROGRESS_SECONDS)
        self._due[run] = (min(at, self._due.get(run, (at, 0))[0]), TRIES)

    def _seconds_until_due(self) -> float | None:
        if not self._due:
            return None
        return max(0.0, min(at for at, _ in self._due.values()) - time.monotonic())

    def _look_at_due(self) -> None:
        now = time.monotonic()
        self._looked_at = {r: t for r, t in self._looked_at.items() if now - t < PROGRESS_SECONDS}
        for run, (at, tries) in list(self._due.items()):
            if at > now:
                continue
            del self._due[run]
            if self._is_done(run):
                self._looked_at[run] = now
            elif tries:
                self._due[run] = (now + AGAIN_SECONDS, tries - 1)

    def _is_done(self, run: str) -> bool:
        try:
            return self._look(run)
        except Exception as error:  # noqa: BLE001 - the store may be full; the next look is due soon
            log.debug("a change of job %s was not looked at: %s", run, error)
            return True
