"""A training service in memory, its provider, and a whole Trainbell around it, for use-case tests.

It outlives the Trainbell that uses it, as a real service does, so a test can stop one Trainbell at
any step, begin another on the same store, and count the trainings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from pydantic import BaseModel, ConfigDict, Field

from tests.builders import FakeClock
from tests.open_secrets import OpenSecrets
from trainbell.domain.job import Job, State
from trainbell.domain.observation import Observation
from trainbell.domain.settings import ChannelConfig, Connection, Schedule
from trainbell.errors import NotFound, ProviderJobMissing
from trainbell.ports import (
    Channel,
    ChannelContext,
    ChannelSpec,
    Found,
    Handle,
    Kind,
    Notice,
    Provider,
    ProviderSpec,
    ServiceState,
    ServiceStatus,
    StartOrder,
    Store,
)
from trainbell.use_cases.ground.services import Services

STATES = {
    "waiting": State.QUEUED,
    "processing": State.RUNNING,
    "stopping": State.CANCELLING,
    "completed": State.SUCCEEDED,
    "failed": State.FAILED,
    "stopped": State.CANCELLED,
}


@dataclass
class Training:
    id: str
    marker: str
    status: str = "waiting"
    progress: float | None = None


@dataclass
class ToyService:
    """`before_start` and `after_start` may raise: the request, or only its answer, is lost.

    `joins`: a second start gets the first one's training."""

    clock: FakeClock
    trainings: list[Training] = field(default_factory=list)
    polls: int = 0
    cancels: int = 0
    checks: int = 0
    joins: bool = False
    forgotten: list[str] = field(default_factory=list)
    before_start: Callable[[], None] = lambda: None
    after_start: Callable[[], None] = lambda: None
    on_poll: Callable[[], None] = lambda: None
    on_find: Callable[[], None] = lambda: None
    on_cancel: Callable[[], None] = lambda: None
    on_check: Callable[[], None] = lambda: None

    def training(self, id: str) -> Training:
        for each in self.trainings:
            if each.id == id:
                return each
        raise ProviderJobMissing(f"no training {id}")

    def set_all(self, status: str) -> None:
        for each in self.trainings:
            each.status = status


class ToyParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dataset: str = Field("faces", max_length=64)
    epochs: int = Field(10, ge=1, le=1000)


@dataclass
class ToyProvider:
    service: ToyService

    def start(self, order: StartOrder) -> Handle:
        self.service.before_start()
        if self.service.joins and self.service.trainings:
            return {"id": self.service.trainings[0].id}
        training = Training(f"t{len(self.service.trainings) + 1}", order.job_id)
        self.service.trainings.append(training)
        self.service.after_start()
        return {"id": training.id}

    def find(self, order: StartOrder) -> Found | None:
        self.service.on_find()
        marked = [each for each in self.service.trainings if each.marker == order.job_id]
        handles = [{"id": each.id} for each in marked]
        return handles if len(handles) > 1 else next(iter(handles), None)

    def poll(self, handle: Handle) -> Observation:
        self.service.polls += 1
        self.service.on_poll()
        training = self.service.training(handle["id"])
        return Observation(
            seen_at=self.service.clock.now(),
            vendor_status=training.status,
            state=STATES.get(training.status),
            progress=training.progress,
        )

    def cancel(self, handle: Handle) -> None:
        self.service.cancels += 1
        self.service.on_cancel()
        self.service.training(handle["id"]).status = "stopping"

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        return [f"log of {handle['id']}"][:lines]

    def forget(self, handle: Handle) -> None:
        self.service.forgotten.append(handle["id"])

    def check(self) -> str:
        self.service.checks += 1
        self.service.on_check()
        return "the toy service answers"

    def close(self) -> None:
        pass


def toy_spec(service: ToyService, **changes: object) -> ProviderSpec:
    given: dict[str, object] = {
        "name": "toy",
        "title": "Toy service",
        "kinds": {"train": Kind(name="train", title="Training", parameters=ToyParameters)},
        "service": ServiceStatus(state=ServiceState.LIVE, as_of="2026-03", note="", source="tests"),
        "build": lambda _context: ToyProvider(service),
        "needs_url": False,
        "needs_secret": False,
        "dataset_of": lambda parameters: parameters.get("dataset"),
    }
    return ProviderSpec(**{**given, **changes})  # type: ignore[arg-type]  # checked when it is used


@dataclass
class ToyProviders:
    """`ports.ProviderCatalog` with the one spec."""

    service: ToyService
    toy: ProviderSpec

    def names(self) -> Sequence[str]:
        return [self.toy.name]

    def spec(self, name: str) -> ProviderSpec:
        if name != self.toy.name:
            raise NotFound(f"no provider {name}; there are: toy")
        return self.toy

    def client(self, connection: Connection) -> Provider:
        return ToyProvider(self.service)

    @contextmanager
    def lease(self, connection: Connection) -> Iterator[Provider]:
        yield self.client(connection)

    def close(self) -> None:
        pass


@dataclass
class Collector:
    """A channel that keeps what it is told."""

    notices: list[Notice] = field(default_factory=list)
    on_send: Callable[[Notice], None] = lambda _notice: None

    def send(self, notice: Notice) -> None:
        self.on_send(notice)
        self.notices.append(notice)

    def close(self) -> None:
        pass


@dataclass
class ToyChannels:
    """`ports.ChannelCatalog` in which every channel of kind `collect` is the same collector."""

    collector: Collector = field(default_factory=Collector)
    installed: tuple[ChannelConfig, ...] = (ChannelConfig(name="collector", kind="collect"),)

    def names(self) -> Sequence[str]:
        return ["collect"]

    def spec(self, name: str) -> ChannelSpec:
        if name != "collect":
            raise NotFound(f"no channel kind {name}; there are: collect")
        return ChannelSpec(name="collect", title="Collector", build=self._build)

    def _build(self, _context: ChannelContext) -> Channel:
        return self.collector

    @contextmanager
    def lease(self, config: ChannelConfig) -> Iterator[Channel]:
        yield self.collector

    def built_in(self) -> Sequence[ChannelConfig]:
        return self.installed

    def close(self) -> None:
        pass


@dataclass
class WatchCalls:
    """`ports.Watchers` that only notes who is to be watched."""

    jobs: list[Job] = field(default_factory=list)

    def watch(self, job: Job) -> None:
        self.jobs.append(job)


class NoScheduler:
    def put(self, schedule: Schedule) -> None:
        pass

    def delete(self, name: str) -> None:
        pass


class NoSecrets(OpenSecrets):
    def read(self, reference: str) -> str:
        return f"secret behind {reference}"


def a_trainbell(
    store: Store,
    service: ToyService,
    *,
    channels: ToyChannels | None = None,
    spec: Mapping[str, object] | None = None,
    **changes: object,
) -> Services:
    """All use cases on a real store and the toy service."""
    given: dict[str, object] = {
        "store": store,
        "providers": ToyProviders(service, toy_spec(service, **(spec or {}))),
        "channels": channels or ToyChannels(),
        "watchers": WatchCalls(),
        "scheduler": NoScheduler(),
        "secrets": NoSecrets(),
        "clock": service.clock,
        "random": Random(7),
    }
    return Services(**{**given, **changes})  # type: ignore[arg-type]  # as above
