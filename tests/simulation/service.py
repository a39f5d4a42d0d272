"""A training service that is slow, forgetful, late and at times not there; and its provider.

It never forgets anything for good: what it says of a training may be wrong for a while, what
`trainings` says is the truth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from tests.simulation import weather
from tests.simulation.plan import JobPlan, ServicePlan
from tests.simulation.process import Ground, Process
from tests.simulation.product import (
    Connection,
    Found,
    Handle,
    Kind,
    NotFound,
    Observation,
    Provider,
    ProviderAuthFailed,
    ProviderError,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderSpec,
    ProviderThrottled,
    ProviderUnavailable,
    ServiceState,
    ServiceStatus,
    StartOrder,
    StartOutcomeUnknown,
    State,
)

HOME = "https://{name}.example"
ELSEWHERE = "https://elsewhere.example"
STOPS_WITHIN = 90.0


@dataclass
class Training:
    """`appears_at`: when the service has committed it."""

    id: str
    mark: str
    dataset: str | None
    appears_at: float
    runs_at: float
    ends_at: float
    outcome: State
    cancelled: bool = False

    def state(self, now: float) -> State:
        if now >= self.ends_at:
            return self.outcome
        if self.cancelled:
            return State.CANCELLING
        return State.RUNNING if now >= self.runs_at else State.QUEUED


class Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    plan: int = -1
    words: str = ""


@dataclass
class SimulatedService:
    """`answers` to polls of each training: when, and whether it was "no such training"."""

    ground: Ground
    plan: ServicePlan
    trainings: list[Training] = field(default_factory=list)
    answers: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: defaultdict(list))
    shown_doubled: set[str] = field(default_factory=set)

    def make(self, order: StartOrder) -> Training:
        """The request has arrived, and its training will appear."""
        now, random = self.ground.now, self.ground.random
        same = self._same(order)
        if same is not None:
            return same
        late = random.choice((0.0, random.random(), 1.0)) * self.plan.commits_within
        plan = self._plan_of(order)
        runs_at = now + late + (plan.queued_for if plan else 10.0)
        made = Training(
            id=f"{self.plan.name}-{len(self.trainings) + 1}",
            mark=order.job_id,
            dataset=order.dataset,
            appears_at=now + late,
            runs_at=runs_at,
            ends_at=runs_at + (plan.runs_for if plan else 120.0),
            outcome=State.FAILED if plan and plan.fails else State.SUCCEEDED,
        )
        self.trainings.append(made)
        self.ground.say(
            f"    {self.plan.name} takes {made.id} for {made.mark[-6:]} in {late:.0f} s"
        )
        return made

    def marked(self, mark: str) -> list[Training]:
        return [each for each in self.trainings if each.mark == mark]

    def training(self, id: str) -> Training | None:
        return next((each for each in self.trainings if each.id == id), None)

    def _same(self, order: StartOrder) -> Training | None:
        now = self.ground.now
        for each in self.trainings:
            if self.plan.has_token and each.mark == order.job_id:
                return each
            joins = self.plan.joins_datasets and order.dataset is not None
            if joins and each.dataset == order.dataset and now < each.ends_at:
                return each
        return None

    def _plan_of(self, order: StartOrder) -> JobPlan | None:
        number = int(order.parameters.get("plan", -1))
        return self.ground.plan.jobs[number] if number >= 0 else None


@dataclass
class SimulatedProvider:
    """`ports.Provider` in one process. Each call takes its time, and the process may die in it."""

    service: SimulatedService
    process: Process
    is_elsewhere: bool

    def start(self, order: StartOrder) -> Handle:
        ground, lost = self.service.ground, self.service.plan.lost_answers
        self._say(f"start {order.job_id[-6:]}")
        self._troubles(reading=False)
        if self.is_elsewhere:
            raise ProviderThrottled("this account has no quota", retry_after_seconds=60)
        if ground.happens(self.service.plan.refusals):
            self._travel("while a start is refused")
            self._freeze(0.8, 1500)
            raise ProviderRejected("the service does not like this")
        if ground.happens(lost / 2):
            self._travel("while a start is lost")
            raise StartOutcomeUnknown("the connection was cut")
        training = self.service.make(order)
        self._travel("while a start is answered")
        if ground.happens(lost / 2):
            raise StartOutcomeUnknown("the answer was cut")
        if self._is("garbles"):
            raise ProviderReplyInvalid("<html>")
        return {"id": training.id}

    def find(self, order: StartOrder) -> Found | None:
        self._say(f"find {order.job_id[-6:]}")
        self._troubles(reading=True)
        self._travel("before a look-up", share=0.5)
        ground = self.service.ground
        now, found = ground.now, self.service.marked(order.job_id)
        handles = [] if self.is_elsewhere else [{"id": t.id} for t in found if t.appears_at <= now]
        self._freeze(0.4, 900)
        self._travel("while a look-up is answered", share=0.5)
        self._say(f"found {handles}")
        if len(handles) > 1:
            self.service.shown_doubled.add(order.job_id)
        return handles if len(handles) > 1 else next(iter(handles), None)

    def poll(self, handle: Handle) -> Observation:
        answers = self.service.answers[handle["id"]]
        try:
            seen = self._poll(handle)
        except ProviderError as error:
            missing = isinstance(error, ProviderJobMissing) and not self.is_elsewhere
            answers.append((self.service.ground.now, missing))
            raise
        answers.append((self.service.ground.now, False))
        return seen

    def _poll(self, handle: Handle) -> Observation:
        asked_at = self.process.now()
        self._troubles(reading=True)
        if self._is("forgets") or (self._is("mixes") and self.service.ground.random.random() < 0.1):
            raise ProviderJobMissing("no such training")
        if self._is("mixes"):
            raise ProviderUnavailable("503")
        training = None if self.is_elsewhere else self.service.training(handle["id"])
        now = self.service.ground.now
        if training is None or training.appears_at > now:
            raise ProviderJobMissing("no such training")
        state = training.state(now)
        self._travel("while a poll is answered")
        return Observation(seen_at=asked_at, vendor_status=state.value, state=state)

    def cancel(self, handle: Handle) -> None:
        self._say(f"cancel {handle['id']}")
        self._troubles(reading=True)
        training = None if self.is_elsewhere else self.service.training(handle["id"])
        if training is None or self._is("forgets"):
            raise ProviderJobMissing("no such training")
        ground = self.service.ground
        self._require_wish(training)
        if not training.cancelled and ground.now < training.ends_at:
            training.cancelled = True
            training.outcome = State.CANCELLED
            training.ends_at = ground.now + ground.random.uniform(1, STOPS_WITHIN)
        self._travel("while a cancel is answered")

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        return []

    def forget(self, handle: Handle) -> None:
        pass

    def check(self) -> str:
        self._troubles(reading=True)
        return "it answers"

    def close(self) -> None:
        pass

    def _require_wish(self, training: Training) -> None:
        """Nothing is cancelled that nobody wanted cancelled."""
        ledger, clock_now = self.service.ground.ledger, self.process.now()
        for job in ledger.jobs.values():
            is_its = job.id == training.mark or (job.handle or {}).get("id") == training.id
            deadline = job.order.deadline_at
            wanted = job.id in ledger.wishes or (
                job.cancel.requested_at is not None
                and deadline is not None
                and deadline <= max(clock_now, job.cancel.requested_at)
            )
            if is_its and wanted:
                return
        ledger.violation("cancelled for real", f"nobody wanted {training.id} cancelled")

    def _is(self, what: str) -> bool:
        now = weather.at(self.service.plan.weather, self.service.ground.now)
        return now is not None and now.what == what

    def _troubles(self, *, reading: bool) -> None:
        """Raises what the weather brings to a call, whatever it is for."""
        window = weather.at(self.service.plan.weather, self.service.ground.now)
        if window is None:
            return
        flaps = window.what == "flaps" and self.service.ground.random.random() < 0.5
        if window.what in ("down", "proxy") or flaps:
            self._fail(ProviderUnavailable(f"{window.what}: no readable answer"))
        if window.what == "throttles":
            self._fail(ProviderThrottled("slow down", retry_after_seconds=window.value))
        if window.what == "locked":
            self._fail(ProviderAuthFailed("the key has expired"))
        if window.what == "garbles" and reading:
            self._fail(ProviderReplyInvalid("<html>"))

    def _fail(self, error: ProviderError) -> None:
        self._say(f"answers {type(error).__name__} {error.retry_after_seconds or ''}")
        self._travel("while a call fails", share=0.2)
        raise error

    def _travel(self, what: str, share: float = 1.0) -> None:
        ground = self.service.ground
        slow = ground.happens(self.service.plan.slow_answers)
        seconds = ground.random.uniform(5, 45) if slow else ground.random.uniform(0.02, 1)
        self.process.crossing(what, seconds * share)

    def _freeze(self, share: float, seconds: float) -> None:
        """An answer is there, and nobody deals with it for a while."""
        ground = self.service.ground
        if ground.plan.extras.freezes and ground.happens(share):
            self._say("the function freezes with the answer")
            ground.clockwork.pause(ground.random.uniform(60, seconds))

    def _say(self, what: str) -> None:
        self.service.ground.say(f"  {self.process.name} → {self.service.plan.name}: {what}")


@dataclass
class SimulatedProviders:
    """`ports.ProviderCatalog` of one process."""

    services: dict[str, SimulatedService]
    process: Process

    def names(self) -> Sequence[str]:
        return sorted(self.services)

    def spec(self, name: str) -> ProviderSpec:
        if name not in self.services:
            raise NotFound(f"no provider {name}")
        plan = self.services[name].plan
        return ProviderSpec(
            name=name,
            title=name,
            kinds={"train": Kind(name="train", title="Training", parameters=Parameters)},
            service=ServiceStatus(
                state=ServiceState.LIVE, as_of="2026-03", note="", source="simulated"
            ),
            build=lambda _context: self._provider(name, HOME),
            default_base_url=HOME.format(name=name),
            needs_secret=False,
            repeat_is_harmless=plan.has_token,
            settle_seconds=max(30.0, plan.commits_within) if plan.has_token else 30.0,
        )

    def client(self, connection: Connection) -> Provider:
        return self._provider(connection.provider, connection.base_url or HOME)

    @contextmanager
    def lease(self, connection: Connection) -> Iterator[Provider]:
        yield self.client(connection)

    def close(self) -> None:
        pass

    def _provider(self, name: str, url: str) -> Provider:
        return SimulatedProvider(self.services[name], self.process, url == ELSEWHERE)
