"""Those who use it: they ask for jobs, cancel and forget them, edit settings, and answer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from tests.simulation.engines import Engine
from tests.simulation.plan import HOUR, JobPlan
from tests.simulation.process import Died, Ground
from tests.simulation.product import (
    Caller,
    CallerKind,
    Conflict,
    EventType,
    NotFound,
    Services,
    State,
    TrainbellError,
    cancel_job,
    delete_schedule,
    forget_job,
    put_channel,
    put_connection,
    put_schedule,
    request_job,
    resend_job,
    try_channel,
)
from tests.simulation.service import ELSEWHERE, SimulatedService

ADA = Caller(CallerKind.OWNER, "ada")
SCHEDULE = "nightly"
Value = TypeVar("Value")


@dataclass
class People:
    ground: Ground
    engine: Engine
    services: dict[str, SimulatedService]
    busy: int = 0

    def begin(self) -> None:
        plan = self.ground.plan
        self._does(0.0, "sets it up", self._set_up)
        for job in plan.jobs:
            self._does(job.asked_at + 1, f"wants job {job.number}", partial(self._want, job))
        if plan.connection_edits:
            first = min(at for at, _, _ in plan.connection_edits)
            self._does(first + 2, "moves a connection, and back", self._move)
        if plan.schedule is not None:
            for at, what in plan.schedule.edits:
                self._does(at + 2, f"{what}s the schedule", partial(self._edit, what))
        for receiver in plan.receivers:
            if receiver.mended and receiver.weather:
                at = max(each.end for each in receiver.weather)
                self._does(at, f"mends {receiver.name}", partial(self._mend, receiver.name))

    def _does(self, at: float, what: str, work: Callable[[], object]) -> None:
        self.busy += 1

        def done() -> None:
            self.busy -= 1

        def begin() -> None:
            self.ground.say(f"  somebody {what}")
            self.ground.clockwork.spawn(what, work, on_over=done)

        self.ground.clockwork.at(max(0.0, at - self.ground.now), begin)

    def _insists(self, name: str, work: Callable[[Services], Value]) -> Value:
        """Calls until there is an answer that is one: a client that repeats what had none."""
        while True:
            process = self.engine.process()
            try:
                if process is not None:
                    return process.call(name, partial(work, self.engine.services()))
            except Died:
                pass
            except TrainbellError as error:
                if isinstance(error, Conflict | NotFound):
                    raise
            self.ground.clockwork.pause(5.0)

    def _set_up(self) -> None:
        for name in self.services:
            self._put_connection(name, elsewhere=False)
        for receiver in self.ground.plan.receivers:
            self._put_channel(receiver.name)
        if self.ground.plan.schedule is not None:
            self._edit("enable")

    def _move(self) -> None:
        """One person does it, and begins nothing before the last call has an answer."""
        for at, name, where in self.ground.plan.connection_edits:
            self.ground.clockwork.pause(max(0.0, at + 2 - self.ground.now))
            self.ground.say(f"  {name} is to lead {where}")
            self._put_connection(name, elsewhere=where == "elsewhere")

    def _put_connection(self, name: str, elsewhere: bool) -> None:
        plan = self.services[name].plan
        body: dict[str, Any] = {
            "provider": name,
            "calls_per_minute": plan.calls_per_minute,
            "settle_seconds": plan.settle_seconds,
        }
        if elsewhere:
            body["base_url"] = ELSEWHERE
        self._insists("put connection", lambda s: put_connection(s, name, body))

    def _edit(self, what: str) -> None:
        plan = self.ground.plan.schedule
        assert plan is not None
        if what == "delete":
            with suppress(NotFound):  # The call before, which had no answer, did it.
                self._insists("delete schedule", lambda s: delete_schedule(s, SCHEDULE))
        else:
            body = {
                "expression": f"rate({plan.minutes} minutes)",
                "enabled": what == "enable",
                "job": {"provider": "tokened"},
            }
            self._insists("put schedule", lambda s: put_schedule(s, SCHEDULE, body))
        self.ground.say(f"  the schedule is {what}d, says the answer")
        self.ground.ledger.schedule_wish = what

    def _mend(self, channel: str) -> None:
        process = self.engine.process()
        try:
            if process is not None:
                services = self.engine.services()
                process.call("try channel", lambda: try_channel(services, channel))
        except (Died, TrainbellError):
            self._put_channel(channel)

    def _put_channel(self, name: str) -> None:
        self._insists("put channel", lambda s: put_channel(s, name, {"kind": "bell"}))
        self.ground.ledger.standing_since.setdefault(name, self.ground.now)

    def _want(self, plan: JobPlan) -> None:
        key = f"want-{plan.number}"
        try:
            job, _ = self._insists(
                "request",
                lambda s: request_job(s, _body(plan), by=ADA, idempotency_key=key),
            )
        except Conflict as error:
            self.ground.say(f"    refused: {error}")
            return
        self.ground.ledger.requests[key].add(job.id)
        if plan.on_unclear == "ask":
            self._does(self.ground.now, f"stands by for job {plan.number}", self._answer_of(job.id))
        if plan.cancelled_after is not None:
            self.ground.clockwork.pause(plan.cancelled_after)
            self._cancel(job.id)
        if plan.forgotten_after is not None:
            self._forget(job.id, plan.forgotten_after)

    def _cancel(self, job_id: str) -> None:
        self.ground.say(f"  somebody cancels {job_id[-6:]}")
        self.ground.ledger.wishes[job_id] = self.ground.now
        try:
            self._insists("cancel", lambda s: cancel_job(s, job_id, by=ADA))
        except (Conflict, NotFound) as error:
            self.ground.say(f"    not cancelled: {error}")

    def _forget(self, job_id: str, after: float) -> None:
        ledger = self.ground.ledger
        while not ledger.ends[job_id]:
            self.ground.clockwork.pause(300.0)
        if ledger.jobs[job_id].state is State.LOST:
            return None
        self.ground.clockwork.pause(after)
        self.ground.say(f"  somebody forgets {job_id[-6:]}")
        while True:
            try:
                return self._insists("forget", lambda s: forget_job(s, job_id))
            except NotFound:
                return None
            except Conflict as error:
                self.ground.say(f"    not forgotten: {error}")
                self.ground.clockwork.pause(HOUR)

    def _answer_of(self, job_id: str) -> Callable[[], None]:
        """A person who looks at the service, and says so where nothing of the job is there."""

        def stand_by() -> None:
            ledger = self.ground.ledger
            while not ledger.ends[job_id] and ledger.jobs[job_id].handle is None:
                self.ground.clockwork.pause(600.0)
                asked = ledger.has(job_id, EventType.START_NEEDS_ANSWER)
                if asked and not any(s.marked(job_id) for s in self.services.values()):
                    try:
                        self._insists("resend", lambda s: resend_job(s, job_id, by=ADA))
                    except (Conflict, NotFound):
                        continue

        return stand_by


def _body(plan: JobPlan) -> dict[str, Any]:
    body: dict[str, Any] = {
        "provider": plan.service,
        "parameters": {"plan": plan.number},
        "on_unclear": plan.on_unclear,
        "min_interval_seconds": plan.intervals[0],
        "max_interval_seconds": plan.intervals[1],
    }
    if plan.dataset is not None:
        body["dataset"] = plan.dataset
    if plan.deadline_seconds is not None:
        body["deadline_seconds"] = plan.deadline_seconds
    return body
