"""The two engines, as far as they decide when which use case is called.

`Embedded` follows `embedded.loop` (one process with a dispatcher, polling tasks and a teller),
`Cloud` the state machine and the functions (one watcher an execution, a reconciler, a publisher).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from tests.simulation.clockwork import Killed, Task
from tests.simulation.plan import HOUR
from tests.simulation.process import Ground, Process
from tests.simulation.product import (
    Advance,
    ClockSteps,
    Job,
    Schedule,
    Services,
    advance_job,
    mend_times,
    next_due_of,
    publish_changes,
    reconcile_jobs,
    resume_starts,
    run_due_schedules,
    run_schedule,
)

AFTER_TROUBLE = 5.0
TICK = 0.05
TELL_TICK = 0.25
NOTICED_WITHIN = 30.0
RECONCILED_EVERY = 300.0
LOOPS_PER_EXECUTION = 12

Furnish = Callable[[Process, "Engine"], Services]


class Engine(Protocol):
    """Also `ports.Watchers` and `ports.Scheduler`."""

    def process(self) -> Process | None:
        """A process that takes calls; None while there is none."""
        ...

    def services(self) -> Services: ...

    def begin(self) -> None: ...

    def watch(self, job: Job) -> None: ...

    def put(self, schedule: Schedule) -> None: ...

    def delete(self, name: str) -> None: ...

    def outbox_changed(self) -> None: ...


@dataclass
class Embedded:
    ground: Ground
    furnish: Furnish
    _process: Process | None = None
    _services: Services | None = None
    _dispatcher: Task | None = None
    _teller: Task | None = None
    _in_flight: set[str] = field(default_factory=set)
    _not_before: dict[str, datetime] = field(default_factory=dict)
    _boots: int = 0

    def process(self) -> Process | None:
        return self._process

    def services(self) -> Services:
        assert self._services is not None
        return self._services

    def begin(self) -> None:
        self._boot()
        for window in self.ground.plan.clock:
            for at in (window.begin, window.end):
                late = self.ground.random.uniform(0, NOTICED_WITHIN)
                self.ground.clockwork.at(at + late, self._wake)

    def watch(self, job: Job) -> None:
        self._wake()

    def put(self, schedule: Schedule) -> None:
        self._wake()

    def delete(self, name: str) -> None:
        self._wake()

    def outbox_changed(self) -> None:
        if self._teller is not None:
            self._teller.wake()

    def _wake(self) -> None:
        for task in (self._dispatcher, self._teller):
            if task is not None:
                task.wake()

    def _boot(self) -> None:
        self._boots += 1
        process = Process(self.ground, f"up{self._boots}", dies_whole=True, on_death=self._died)
        self.ground.say(f"*** {process.name} begins")
        self._process, self._in_flight, self._not_before = process, set(), {}
        self._services = self.furnish(process, self)
        process.spawn("boot", lambda: self._start(process))

    def _died(self) -> None:
        self._process = self._dispatcher = self._teller = None
        again = self.ground.random.choice((1.0, 20.0, 200.0))
        self.ground.clockwork.at(again, self._boot)

    def _start(self, process: Process) -> None:
        services = self.services()

        def resume() -> None:
            mend_times(services)
            resume_starts(services)

        while not self._guarded(resume):
            process.crossing("before another try to begin", AFTER_TROUBLE)
        self._dispatcher = process.spawn("dispatch", lambda: self._dispatch(process))
        self._teller = process.spawn("tell", lambda: self._tell(process))

    def _dispatch(self, process: Process) -> None:
        steps = ClockSteps(monotonic=lambda: self.ground.now)
        while True:
            self._guarded(lambda: self._dispatch_due(process, steps))
            now = process.now()
            self._not_before = {k: at for k, at in self._not_before.items() if at > now}
            ahead = self.ground.store.due(now + timedelta(hours=1), 1000)
            times = [self._not_before.get(d.id, d.due_at) for d in ahead]
            waiting = [
                at for at, d in zip(times, ahead, strict=True) if d.id not in self._in_flight
            ]
            wait = min(((at - now).total_seconds() for at in waiting), default=HOUR)
            _pause(self.ground, TICK)
            _wait(self.ground, max(0.0, wait - TICK))

    def _dispatch_due(self, process: Process, steps: ClockSteps) -> None:
        now = process.now()
        if steps.was_put_back(now):
            self._not_before.clear()
            if self._guarded(lambda: mend_times(self.services())):
                steps.mended()
        for due in self.ground.store.due(now, 192, per_connection=lambda _: 64):
            if due.id not in self._in_flight and due.id not in self._not_before:
                self._in_flight.add(due.id)
                self._look(process, due.id)

    def _look(self, process: Process, job_id: str) -> None:
        def work() -> None:
            if not self._guarded(lambda: advance_job(self.services(), job_id)):
                self._not_before[job_id] = process.now() + timedelta(seconds=AFTER_TROUBLE)
            self._in_flight.discard(job_id)
            self._wake()

        process.spawn(f"look {job_id[-6:]}", work)

    def _tell(self, process: Process) -> None:
        while True:
            wait = self._tell_due(process)
            _pause(self.ground, TELL_TICK)
            _wait(self.ground, max(0.0, wait))

    def _tell_due(self, process: Process) -> float:
        """Seconds until there may be more."""
        times: list[datetime | None] = []
        self._guarded(lambda: publish_changes(self.services()))
        if not self._guarded(lambda: times.append(run_due_schedules(self.services()))):
            times.append(process.now() + timedelta(seconds=AFTER_TROUBLE))
        times.append(self.ground.store.next_outbox_due_at())
        waits = [(each - process.now()).total_seconds() for each in times if each is not None]
        return min([*waits, HOUR])

    def _guarded(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the loop outlives whatever it is
            self.ground.say(f"    trouble: {type(error).__name__}: {error}")
            return False
        return True


@dataclass
class Cloud:
    ground: Ground
    furnish: Furnish
    _executions: set[tuple[str, int]] = field(default_factory=set)
    _schedules: dict[str, Schedule] = field(default_factory=dict)
    _publisher: Task | None = None

    def begin(self) -> None:
        self._process = Process(self.ground, "function", dies_whole=False)
        self._services = self.furnish(self._process, self)
        self._process.spawn("reconciler", self._reconcile)
        self._publisher = self._process.spawn("publisher", self._publish)

    def process(self) -> Process | None:
        return self._process

    def services(self) -> Services:
        return self._services

    def watch(self, job: Job) -> None:
        self._process.crossing("before an execution begins")
        name = (job.id, job.watch.number)
        if name not in self._executions:
            self._executions.add(name)
            self._process.spawn(f"watch {job.id[-6:]}/{name[1]}", lambda: self._execute(*name))

    def put(self, schedule: Schedule) -> None:
        self._schedules[schedule.name] = schedule
        self._process.spawn(f"schedule {schedule.name}", lambda: self._fire(schedule))

    def delete(self, name: str) -> None:
        self._schedules.pop(name, None)

    def outbox_changed(self) -> None:
        if self._publisher is not None:
            self._publisher.wake()

    def _execute(self, job_id: str, watch: int) -> None:
        loops = tries = 0
        while tries < 4:
            _pause(self.ground, self.ground.random.uniform(0.05, 0.5))
            loops += 1
            enough = loops >= LOOPS_PER_EXECUTION
            look = partial(advance_job, self._services, job_id, watch=watch, hand_over=enough)
            step = self._invoked(look)
            if step is None:
                tries += 1
                _pause(self.ground, 2.0**tries)
                continue
            tries = 0
            if step.handed_over:
                self._invoked(partial(self.watch, step.job))
                return
            if step.wait_seconds is None:
                return
            _pause(self.ground, step.wait_seconds)

    def _invoked(self, work: Callable[[], Advance | object]) -> Advance | None:
        """One invocation. None where it failed or died."""
        try:
            done = work()
        except (Exception, Killed) as error:  # noqa: BLE001 - the state machine tries again
            self.ground.say(f"    an invocation fails: {type(error).__name__}: {error}")
            return None
        return done if isinstance(done, Advance) else None

    def _reconcile(self) -> None:
        while True:
            _pause(self.ground, RECONCILED_EVERY)
            if self.ground.store.next_due_at() is not None:
                self._invoked(lambda: reconcile_jobs(self._services))

    def _publish(self) -> None:
        """Invoked by the stream at each change, and every minute for what is to be tried again."""
        while True:
            for _ in range(self.ground.random.choice((1, 1, 2))):
                self._process.spawn(
                    "publish", lambda: self._invoked(lambda: publish_changes(self._services))
                )
            at = self.ground.store.next_outbox_due_at()
            wait = HOUR if at is None else (at - self._process.now()).total_seconds()
            _pause(self.ground, 1.0)
            _wait(self.ground, max(60.0, wait))

    def _fire(self, schedule: Schedule) -> None:
        """EventBridge Scheduler: at least once for each due time, until it is put anew."""
        at = next_due_of(schedule, self._process.now())
        while at is not None:
            _pause(self.ground, max(0.0, (at - self._process.now()).total_seconds()))
            if self._schedules.get(schedule.name) is not schedule or not schedule.enabled:
                return
            self._run(schedule.name, at)
            at = next_due_of(schedule, at)

    def _run(self, name: str, at: datetime) -> None:
        def work() -> None:
            for tries in range(20):
                done = False

                def run() -> None:
                    nonlocal done
                    run_schedule(self._services, name, at)
                    done = True

                self._invoked(run)
                if done:
                    return
                _pause(self.ground, 2.0 ** min(tries, 8))

        for _ in range(self.ground.random.choice((1, 1, 2))):
            self._process.spawn(f"run {name}", work)


def _pause(ground: Ground, seconds: float) -> None:
    ground.clockwork.pause(seconds)


def _wait(ground: Ground, seconds: float) -> None:
    current = ground.clockwork.current
    assert current is not None
    current.wait(seconds)


ENGINES: Mapping[str, Callable[[Ground, Furnish], Engine]] = {"embedded": Embedded, "cloud": Cloud}
