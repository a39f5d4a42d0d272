"""Which runs have changed on disk: what wakes whoever watches, so that nobody has to keep looking.

Linux tells it by inotify(7). Elsewhere, or where the system's watches are used up, the few files
that matter are compared four times a second.
"""

from __future__ import annotations

import os
import select
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from trainbell.providers.local.supervisor import kernel

PROGRESS = "progress.jsonl"
MILESTONES = frozenset({"process.json", "survivors.json", "stopped.json", "exit.json"})
ENDS = ("exit.json", "stopped.json")
COMPARE_SECONDS = 0.25
_EVENT = struct.Struct("iIII")
_EVENTS_BYTES = 65_536
_IN_RUN = kernel.IN_CREATE | kernel.IN_MOVED_TO | kernel.IN_ONLYDIR | kernel.IN_DONT_FOLLOW


@dataclass(frozen=True, slots=True)
class Change:
    """`milestone`: it runs, it does not die, or it has `ended`; otherwise it reported progress."""

    run: str
    milestone: bool
    ended: bool = False


class RunChanges:
    """Watches the runs below `root` that have not ended. `wake` ends a wait from another thread.

    A run that was there before is reported once, at the first wait.
    """

    def __init__(self, root: Path) -> None:
        """Raises OSError where the directory cannot be made."""
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = root
        self._woken, self._waker = os.pipe()
        self._inotify = kernel.open_inotify()
        self._compared = _Compared(root)
        self._names: dict[int, str] = {}
        self._watches: dict[str, list[int]] = {}
        self._root_watch = None
        if self._inotify is not None:
            mask = kernel.IN_CREATE | kernel.IN_ONLYDIR
            self._root_watch = kernel.add_watch(self._inotify, str(root), mask)
        self._all_at_first = True

    def wait(self, seconds: float | None) -> list[Change]:
        """What has changed since the last wait, after at most so many seconds; None: as long as
        it takes."""
        if self._all_at_first:
            self._all_at_first = False
            return self._look_at_all()
        if self._inotify is None or self._root_watch is None:
            if self._pause(COMPARE_SECONDS if seconds is None else min(seconds, COMPARE_SECONDS)):
                return []
            return self._compared.changes()
        ready = select.select([self._woken, self._inotify], [], [], seconds)[0]
        if self._inotify not in ready:
            return []
        found: dict[str, Change] = {}
        for change in self._read(self._inotify):
            known = found.get(change.run, change)
            found[change.run] = Change(
                change.run, known.milestone or change.milestone, known.ended or change.ended
            )
        return list(found.values())

    def wake(self) -> None:
        with suppress(OSError):
            os.write(self._waker, b"w")

    def close(self) -> None:
        for descriptor in (self._woken, self._waker, self._inotify):
            if descriptor is not None:
                os.close(descriptor)

    def _pause(self, seconds: float) -> bool:
        return bool(select.select([self._woken], [], [], seconds)[0])

    def _look_at_all(self) -> list[Change]:
        changes = self._compared.changes()
        if self._inotify is not None:
            for change in changes:
                self._watch(self._inotify, change.run)
        return changes

    def _read(self, inotify: int) -> Iterator[Change]:
        data = os.read(inotify, _EVENTS_BYTES)
        offset = 0
        while offset < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, offset)
            offset += _EVENT.size
            name = os.fsdecode(data[offset : offset + length].rstrip(b"\0"))
            offset += length
            if mask & kernel.IN_Q_OVERFLOW:
                yield from self._look_at_all()
            elif watch == self._root_watch:
                yield from self._take_run(inotify, name)
            elif (run := self._names.get(watch)) is not None:
                yield from self._take_event(inotify, run, name)

    def _take_run(self, inotify: int, name: str) -> Iterator[Change]:
        if name.startswith("."):
            return
        self._watch(inotify, name)
        # What was written before it was watched.
        if any((self._root / name / each).exists() for each in MILESTONES):
            yield from self._take_event(inotify, name, "exit.json")

    def _take_event(self, inotify: int, run: str, name: str) -> Iterator[Change]:
        if name == PROGRESS:
            self._watch_progress(inotify, run)
        elif name and name not in MILESTONES:
            return
        ended = name in ENDS and _has_ended(self._root / run)
        yield Change(run, milestone=name in MILESTONES, ended=ended)
        if ended:
            for watch in self._watches.pop(run, ()):
                self._names.pop(watch, None)
                kernel.remove_watch(inotify, watch)

    def _watch(self, inotify: int, run: str) -> None:
        self._add(inotify, run, self._root / run, _IN_RUN)
        if (self._root / run / PROGRESS).exists():
            self._watch_progress(inotify, run)

    def _watch_progress(self, inotify: int, run: str) -> None:
        mask = kernel.IN_MODIFY | kernel.IN_DONT_FOLLOW
        self._add(inotify, run, self._root / run / PROGRESS, mask)

    def _add(self, inotify: int, run: str, path: Path, mask: int) -> None:
        watch = kernel.add_watch(inotify, str(path), mask)
        if watch is None:
            # Gone, or no watch is left: the polling interval is the safety net.
            return
        self._names[watch] = run
        self._watches.setdefault(run, []).append(watch)


def _has_ended(run: Path) -> bool:
    return any((run / name).exists() for name in ENDS)


class _Compared:
    """What each run that has not ended looked like at the last look."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen: Mapping[str, tuple[object, object]] = {}
        self._ended: set[str] = set()

    def changes(self) -> list[Change]:
        now = {name: self._looks(name) for name in self._running()}
        changes = [
            Change(
                name,
                milestone=looks[0] != self._seen.get(name, (None, None))[0],
                ended=_has_ended(self._root / name),
            )
            for name, looks in now.items()
            if looks != self._seen.get(name)
        ]
        self._seen = now
        self._ended |= {change.run for change in changes if change.ended}
        return changes

    def _running(self) -> list[str]:
        with suppress(OSError), os.scandir(self._root) as entries:
            names = {e.name for e in entries if not e.name.startswith(".")}
            self._ended &= names
            return sorted(names - self._ended)
        return []

    def _looks(self, name: str) -> tuple[object, object]:
        milestones = tuple((self._root / name / each).exists() for each in sorted(MILESTONES))
        try:
            found = (self._root / name / PROGRESS).lstat()
        except OSError:
            return milestones, None
        return milestones, (found.st_size, found.st_mtime_ns)
