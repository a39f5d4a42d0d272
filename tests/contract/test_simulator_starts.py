"""A start costs a simulator the same, however many there were: lines of Python are counted, no
seconds."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from types import FrameType
from typing import Any

import httpx
import pytest

from tests.builders import OneSecret, a_connection
from tests.e2e.test_every_kind import JOBS
from trainbell.ports import StartOrder
from trainbell.providers.catalog import Catalog
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.service import Request, SimulatedService

EARLY, LATE = 20, 200
KINDS = [
    (provider, kind)
    for provider, kinds in JOBS.items()
    for kind in kinds
    # The first start of a version's dependencies is the only one.
    if (provider, kind) not in {("datarobot", "build_dependencies"), ("einstein", "retrain")}
]


class Direct(httpx.BaseTransport):
    """Hands requests to the simulator without a socket, and counts the lines that its starts
    run."""

    def __init__(self, simulator: SimulatedService) -> None:
        self.simulator = simulator
        self.counting = False
        self.lines = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        raw = request.url.raw_path.decode().partition("?")
        received = Request(
            request.method,
            request.url.path,
            dict(request.url.params),
            {name.lower(): value for name, value in request.headers.items()},
            request.content,
            raw[0],
            raw[2],
        )
        before = sys.gettrace()
        if self.counting and request.method != "GET":
            sys.settrace(self._enter)
        try:
            answer = self.simulator.handle(received)
        finally:
            sys.settrace(before)
        headers = {"content-type": answer.content_type, **answer.headers}
        return httpx.Response(answer.status, headers=headers, content=answer.body, request=request)

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        frame.f_trace_lines = True
        return self._step

    def _step(self, frame: FrameType, event: str, _: Any) -> Any:
        self.lines += event == "line"
        return self._step


class RealTime:
    def now(self) -> datetime:
        return datetime.now(UTC)


def parameters(provider: str, kind: str, number: int) -> Mapping[str, Any]:
    """With a name of its own for what is made, where the caller chooses one."""
    given = JOBS[provider][kind]
    assert isinstance(given, Mapping)
    own = {"output_model_name": f"faces {number}"}
    if (provider, kind) == ("azure_vision", "train"):
        own = {"model_name": f"flowers-{number}"}
    return {**given, **{name: value for name, value in own.items() if name in given}}


@pytest.mark.parametrize(("provider", "kind"), KINDS)
def test_a_late_start_costs_what_an_early_one_did(provider: str, kind: str) -> None:
    module = import_module(f"trainbell.simulators.{provider}")
    # From now on, for signatures are of the real time.
    simulator: SimulatedService = module.SIMULATOR(SimulatorClock(speed=0))
    transport = Direct(simulator)
    catalog = Catalog(OneSecret(module.ACCESS.secret), RealTime(), transport=transport)
    client = catalog.client(
        a_connection(
            name=provider,
            provider=provider,
            base_url=f"http://127.0.0.1{simulator.base_path}",
            secret="env:KEY",
            options=dict(module.ACCESS.options),
        )
    )
    if kind == "evaluate":
        trained = parameters(provider, "train", 1)
        client.start(StartOrder(job_id="01trained", kind="train", parameters=trained))
        simulator.clock.advance(60)
    counted = {}
    for number in range(LATE + 1):
        transport.counting, transport.lines = number in (EARLY, LATE), 0
        given = parameters(provider, kind, number)
        client.start(
            StartOrder(
                job_id=f"01job{number:021}", kind=kind, parameters=given, sent_at=RealTime().now()
            )
        )
        counted[number] = transport.lines
        # Whatever it was has ended before the next one: some services take one at a time.
        simulator.clock.advance(30)
    catalog.close()
    assert counted[LATE] <= counted[EARLY] * 1.2 + 50
