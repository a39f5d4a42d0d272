"""Two Trainbells to go through by the API: one of this process, whose time moves when a test waits;
and the stack, deployed to AWS on this machine, where time is real.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

import httpx

from tests.api_clients import OWNER, EmbeddedClient
from tests.builders import NOON
from tests.doors.evidence import CLOUD, EMBEDDED
from tests.e2e.cloud_stack import Stack, deployed
from tests.open_secrets import allow
from trainbell.bootstrap.embedded import embedded_services
from trainbell.client import JsonObject, Trainbell
from trainbell.embedded.loop import Loop, LoopWatchers
from trainbell.embedded.schedule_clock import EmbeddedScheduler
from trainbell.simulators.__main__ import access, simulator
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.lookout_vision import LookoutVisionSimulator
from trainbell.simulators.server import running
from trainbell.simulators.service import SimulatedService

PATIENCE_SECONDS = 40.0
STILL_SECONDS = 0.3
"""A start may be under way for so long before its time is moved on."""
CLOUD_SPEED = 20.0

Job = JsonObject
Wanted = Callable[[Job], bool]


class Engine(Protocol):
    """A Trainbell, reached by nothing but its API."""

    name: str
    client: Trainbell

    def keep_secret(self, name: str, value: str) -> str:
        """Put it where this Trainbell reads secrets; the reference for a connection."""
        ...

    def allow(self, connection: Mapping[str, Any]) -> None:
        """As its owner, let the secret of this connection go where it leads."""
        ...

    def service_clock(self) -> SimulatorClock:
        """The time of the services that this Trainbell watches."""
        ...

    def let_time_pass(self, job: Job) -> None:
        """Until something may have become of this job."""
        ...


@dataclass
class Service:
    """A simulated service on a real socket, and the connection to it, of the same name."""

    engine: Engine
    name: str
    simulator: SimulatedService

    @property
    def client(self) -> Trainbell:
        return self.engine.client

    def start(self, kind: str, parameters: Mapping[str, Any], **more: Any) -> Job:
        """Ask for a job, in vain or not: ApiProblem where it is refused."""
        order = {"provider": self.name, "connection": self.name, "kind": kind}
        interval = {"min_interval_seconds": 1, "max_interval_seconds": 1}
        return self.client.start({**order, "parameters": parameters, **interval, **more})

    def run(self, kind: str, parameters: Mapping[str, Any], **more: Any) -> Job:
        """Start a job, and look at it until it has ended."""
        return self.until(self.start(kind, parameters, **more), lambda job: job["has_ended"])

    def until(self, job: Job, wanted: Wanted) -> Job:
        """Look at the job until it is as wanted."""
        return self.watched(job, wanted)[-1]

    def watched(self, job: Job, wanted: Wanted | None = None) -> list[Job]:
        """All that was seen of a job until it was as wanted, or had ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        seen = [self.client.job(job["id"])]
        while not (wanted or _has_ended)(seen[-1]):
            assert not seen[-1]["has_ended"], seen[-1]
            assert time.monotonic() < deadline, seen[-1]
            self.engine.let_time_pass(seen[-1])
            seen.append(self.client.job(job["id"]))
        return seen

    def ask(self, call: str, **parameters: Any) -> JsonObject:
        return self.client.at_service(self.name, call, **parameters)


def _has_ended(job: Job) -> bool:
    return bool(job["has_ended"])


@contextmanager
def connected(engine: Engine, name: str) -> Iterator[Service]:
    """A fresh simulator of this service, and a connection to it."""
    simulated = simulator(name, engine.service_clock())
    if isinstance(simulated, LookoutVisionSimulator) and engine.name == EMBEDDED:
        simulated.wall = simulated.clock.now
    given = access(name)
    with running(simulated) as root:
        connection = {
            "provider": name,
            "base_url": root + simulated.base_path,
            "secret": engine.keep_secret(name, given.secret),
            "options": given.options,
        }
        engine.allow(connection)
        engine.client.put("connections", name, connection)
        yield Service(engine, name, simulated)


class Embedded:
    """Trainbell as `trainbell up` runs it, on one clock with its services."""

    name = EMBEDDED

    def __init__(self, folder: Path, life: ExitStack) -> None:
        self._folder, self._data_dir = folder, folder / "data"
        self._data_dir.mkdir()
        self._clock = SimulatorClock(speed=0, start=NOON)
        self._watchers = LoopWatchers()
        self._unchanged: tuple[object, float] = (None, 0.0)
        services = embedded_services(
            self._data_dir,
            self._watchers,
            EmbeddedScheduler(self._watchers.woken.set),
            clock=self._clock,
        )
        life.callback(services.store.close)
        life.callback(services.channels.close)
        life.callback(services.providers.close)
        loop = Loop(services, self._watchers)
        loop.start()
        life.callback(loop.stop)
        transport = _InProcess(EmbeddedClient(services))
        self.client = life.enter_context(Trainbell("http://127.0.0.1:8765", transport=transport))

    def keep_secret(self, name: str, value: str) -> str:
        place = self._folder / f"{name}-secret"
        place.write_text(value)
        return f"file:{place}"

    def allow(self, connection: Mapping[str, Any]) -> None:
        allow(self._data_dir, connection)

    def service_clock(self) -> SimulatorClock:
        return self._clock

    def pass_time(self, seconds: float) -> None:
        self._clock.advance(seconds)
        self._watchers.woken.set()

    def let_time_pass(self, job: Job) -> None:
        """To the job's next look, once the one before it is over."""
        due = datetime.fromisoformat(job["next_poll_at"]) if job["next_poll_at"] else None
        if due is not None and due > self._clock.now() and not self._may_be_under_way(job):
            self._clock.advance((due - self._clock.now()).total_seconds())
        self._watchers.woken.set()
        time.sleep(0.01)

    def _may_be_under_way(self, job: Job) -> bool:
        """A start's lease runs by the clock: it must not run out because a test cannot wait."""
        if job["state"] != "starting":
            return False
        before, since = self._unchanged
        now, mark = time.monotonic(), (job["id"], job["revision"])
        if before != mark:
            self._unchanged = mark, now
            return True
        return now - since < STILL_SECONDS


class Cloud:
    """The deployed stack."""

    name = CLOUD

    def __init__(self, stack: Stack, life: ExitStack) -> None:
        self._stack = stack
        self.client = life.enter_context(stack.trainbell())

    def keep_secret(self, name: str, value: str) -> str:
        return self._stack.keep_secret(name, value)

    def allow(self, connection: Mapping[str, Any]) -> None:
        self._stack.allow(connection)

    def service_clock(self) -> SimulatorClock:
        return SimulatorClock(speed=CLOUD_SPEED)

    def let_time_pass(self, job: Job) -> None:
        time.sleep(0.15)


@contextmanager
def embedded_engine(folder: Path) -> Iterator[Embedded]:
    with ExitStack() as life:
        yield Embedded(folder, life)


@contextmanager
def cloud_engine(folder: Path) -> Iterator[Cloud]:
    with deployed(folder) as stack, ExitStack() as life:
        yield Cloud(stack, life)


class _InProcess(httpx.BaseTransport):
    """The ASGI app in the place of a socket."""

    def __init__(self, api: EmbeddedClient) -> None:
        self._api = api

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        own = {name: text for name, text in request.headers.items() if name not in OWNER}
        answer = self._api.call(
            request.method,
            unquote(request.url.path),
            request.content or None,
            headers=own,
            query=parse_qs(request.url.query.decode()),
        )
        return httpx.Response(answer.status, headers=answer.headers, text=answer.text)
