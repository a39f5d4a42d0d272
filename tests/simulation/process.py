"""A process that runs Trainbell: its clock, its tasks, its store, and its death."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Generic, TypeVar

from tests.simulation import weather
from tests.simulation.clockwork import Clockwork, Killed, Task
from tests.simulation.ledger import Ledger
from tests.simulation.plan import Plan
from tests.simulation.product import Change, Job, OutboxEntry, Store, StoreUnavailable

BEGIN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MENDED_WITHIN = 60.0
NEXT_LOOK_WITHIN = 3600 * 1.1 + 900 + 60
"""Seconds: the longest Retry-After with its jitter, an interval, and a place in the line."""

Value = TypeVar("Value")


@dataclass
class Ground:
    """What all processes of a simulated world share. `store` is the real one. `last_accident`: when
    a process died or stalled or the store failed, so that an answer may have gone unrecorded."""

    plan: Plan
    random: Random
    clockwork: Clockwork
    ledger: Ledger
    store: Store
    say: Callable[[str], None]
    last_accident: float = -1e9
    on_outbox: Callable[[], None] = lambda: None

    @property
    def now(self) -> float:
        return self.clockwork.now

    @property
    def is_chaos(self) -> bool:
        return self.clockwork.now < self.plan.chaos_for

    def moment(self, seconds: float) -> datetime:
        return BEGIN + timedelta(microseconds=round(seconds * 1e6))

    def happens(self, chance: float) -> bool:
        """Nothing bad happens any more once the chaos is over."""
        return chance > 0 and self.is_chaos and self.random.random() < chance


class Died(Exception):
    """The process died during a call; whoever called it does not know what became of it."""


@dataclass
class Call(Generic[Value]):
    """A call into a process, by somebody outside of it."""

    result: Value | None = None
    error: Exception | None = None
    is_answered: bool = False


@dataclass
class Process:
    """`dies_whole`: a death takes all of its tasks (one machine), or only the one at work (a
    function that is invoked)."""

    ground: Ground
    name: str
    dies_whole: bool
    on_death: Callable[[], None] = lambda: None
    tasks: list[Task] = field(default_factory=list)
    is_alive: bool = True

    def now(self) -> datetime:
        """`ports.Clock`: what this process takes for the time."""
        ahead = weather.at(self.ground.plan.clock, self.ground.now)
        return self.ground.moment(self.ground.now + (ahead.value if ahead is not None else 0.0))

    def spawn(self, name: str, work: Callable[[], object], **rest: Any) -> Task:
        task = self.ground.clockwork.spawn(name, work, **rest)
        self.tasks = [each for each in self.tasks if not each.is_over]
        self.tasks.append(task)
        return task

    def call(self, name: str, work: Callable[[], Value]) -> Value:
        """Run it in this process, for a task outside of it, and wait for its answer.

        Raises:
            Died: the process died meanwhile; besides, whatever `work` raises.
        """
        caller = self.ground.clockwork.current
        assert caller is not None
        call: Call[Value] = Call()

        def run() -> None:
            try:
                call.result = work()
            except Exception as error:  # noqa: BLE001 - handed to the caller
                call.error = error
            call.is_answered = True

        if not self.is_alive:
            raise Died
        task = self.spawn(name, run, on_over=caller.wake)
        while not task.is_over:
            caller.wait(1e9)
        if call.error is not None:
            raise call.error
        if not call.is_answered:
            raise Died
        return call.result  # type: ignore[return-value]  # answered, so it is there

    def crossing(self, what: str, seconds: float = 0.0) -> None:
        """Between two steps: others run, or the process stalls, or dies."""
        ground = self.ground
        if ground.happens(ground.plan.kills):
            self._die(what)
        if ground.happens(ground.plan.stalls):
            ground.last_accident = ground.now
            seconds += ground.random.choice((10.0, 70.0, 300.0, 2000.0))
            ground.say(f"    {self.name} stalls for {seconds:.0f} s {what}")
        ground.clockwork.pause(seconds + ground.random.random() * 0.01)

    def _die(self, what: str) -> None:
        self.ground.say(f"*** {self.name} dies {what}")
        self.ground.last_accident = self.ground.now
        if self.dies_whole:
            self.is_alive = False
            current = self.ground.clockwork.current
            for task in self.tasks:
                if task is not current:
                    task.kill()
            self.on_death()
        raise Killed


class ProcessStore:
    """`ports.Store` as one process sees it: it may die before and after each write."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._ground = process.ground
        self._store = process.ground.store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def create(self, change: Change, token: Any = None) -> tuple[Job, bool]:
        self._before(f"create {change.job.id[-6:]}")
        job, is_new = self._store.create(change, token)
        if is_new:
            self._written(change, job)
        self._process.crossing("after create")
        return job, is_new

    def save(self, change: Change) -> Job:
        self._before(f"save {change.job.id[-6:]}")
        job = self._store.save(change)
        self._written(change, job)
        self._process.crossing("after save")
        return job

    def settle_outbox(self, entry: OutboxEntry, *, replaced_by: Sequence[OutboxEntry] = ()) -> bool:
        self._before(f"settle {entry.id[-12:]}")
        done = self._store.settle_outbox(entry, replaced_by=replaced_by)
        self._ground.on_outbox()
        self._process.crossing("after settle")
        return done

    def requeue(self, entry: OutboxEntry) -> bool:
        self._before("requeue")
        done = self._store.requeue(entry)
        self._ground.on_outbox()
        return done

    def put_config(self, record: Any, **rest: Any) -> Any:
        self._before(f"put {record.name}")
        done = self._store.put_config(record, **rest)
        self._process.crossing("after put")
        return done

    def delete_config(self, kind: Any, name: str, **rest: Any) -> bool:
        self._before(f"delete {name}")
        done = self._store.delete_config(kind, name, **rest)
        self._process.crossing("after delete")
        return done

    def delete(self, job: Job) -> None:
        self._before(f"forget {job.id[-6:]}")
        self._store.delete(job)
        self._ground.ledger.forgotten.add(job.id)
        self._process.crossing("after forget")

    def _before(self, what: str) -> None:
        self._process.crossing(f"before {what}")
        if self._ground.happens(self._ground.plan.store_failures):
            self._ground.say(f"    the store fails at {what}")
            self._ground.last_accident = self._ground.now
            raise StoreUnavailable("the store is not there just now")

    def _is_being_mended(self) -> bool:
        """A clock was corrected just now: what it wrote, and the place in a line that it gives to a
        call that was under way, are mended with the next tick. If not, nobody looks for long."""
        now = self._ground.now
        return any(each.end <= now < each.end + MENDED_WITHIN for each in self._ground.plan.clock)

    def _written(self, change: Change, job: Job) -> None:
        self._ground.ledger.stored(change, job)
        due_in = 0.0
        if job.due_at is not None and not job.is_ended:
            due_in = (job.due_at - self._process.now()).total_seconds()
        if due_in > NEXT_LOOK_WITHIN and not self._is_being_mended():
            text = f"{job.id} is to be looked at in {due_in:.0f} s"
            self._ground.ledger.violation("silence is an hour at most", text)
        if change.outbox:
            self._ground.on_outbox()
