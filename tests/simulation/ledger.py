"""What truly happened, as an observer sees it who is nowhere fooled: kept by the simulation."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.product import Change, EventType, Job, JobEvent, Notice, State


@dataclass
class Ledger:
    """`say` writes a line of the trace. Times are true ones, in seconds since the beginning."""

    now: Callable[[], float]
    say: Callable[[str], None]
    violations: list[str] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    ends: dict[str, list[tuple[float, JobEvent]]] = field(default_factory=lambda: defaultdict(list))
    events: dict[str, list[JobEvent]] = field(default_factory=lambda: defaultdict(list))
    requests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    wishes: dict[str, float] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    looked: dict[str, float] = field(default_factory=dict)
    silences: dict[str, list[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    on_lost: Callable[[Job], None] = lambda job: None
    standing_since: dict[str, float] = field(default_factory=dict)
    schedule_wish: str | None = None
    sharing: set[frozenset[str]] = field(default_factory=set)
    told: Counter[tuple[str, str]] = field(default_factory=Counter)

    def violation(self, promise: str, what: str) -> None:
        line = f"{promise}: {what}"
        self.violations.append(line)
        self.say(f"!!! {line}")

    def stored(self, change: Change, job: Job) -> None:
        """A job was written, with these events."""
        before = self.jobs.get(job.id)
        if before is not None and before.is_ended and before.state is not job.state:
            self.violation("ended once", f"{job.id} went from {before.state} to {job.state}")
        now = self.now()
        if before is not None and not before.is_ended:
            self.silences[job.id].append((now - self.looked[job.id], now))
        self.jobs[job.id], self.looked[job.id] = job, now
        self._watches_alone(job)
        for event in change.events:
            self.events[job.id].append(event)
            self.say(f"    {job.id[-6:]} {event.type} {job.state} {dict(event.data)}")
            if event.type is EventType.JOB_FINISHED:
                self.ends[job.id].append((self.now(), event))
                if job.state is State.LOST:
                    self.on_lost(job)
        if len(self.ends[job.id]) > 1:
            self.violation("ended once", f"{job.id} has ended {len(self.ends[job.id])} times")

    def _watches_alone(self, job: Job) -> None:
        """Of two jobs that have one training, the first has ended before the second begins: a
        service may give a training to a second job while the first is taken for lost."""
        if job.is_ended or job.handle is None:
            return
        for other in self.jobs.values():
            same = other.handle == job.handle and other.order.connection == job.order.connection
            if same and not other.is_ended and other.id != job.id:
                pair = frozenset((job.id, other.id))
                if pair not in self.sharing:
                    self.sharing.add(pair)
                    text = f"{job.id} and {other.id} watch {job.handle}"
                    self.violation("one training, one job", text)

    def has(self, job_id: str, *types: EventType) -> bool:
        return any(event.type in types for event in self.events[job_id])

    def notified(self, channel: str, notice: Notice) -> None:
        self.told[(channel, notice.event.id)] += 1
