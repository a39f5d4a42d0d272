"""A whole simulated world: built from its plan, run to its end, and judged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.open_secrets import OpenSecrets
from tests.simulation.clockwork import Clockwork
from tests.simulation.engines import ENGINES, Engine
from tests.simulation.ledger import Ledger
from tests.simulation.people import People
from tests.simulation.plan import HOUR, Plan, plan_of
from tests.simulation.process import Ground, Process, ProcessStore
from tests.simulation.product import (
    Job,
    Services,
    publishing,
    trainbell_log,
)
from tests.simulation.promises import judge
from tests.simulation.receivers import Bells
from tests.simulation.service import SimulatedProviders, SimulatedService
from tests.simulation.stores import STORES
from tests.simulation.witness import may_be_lost

CALM_FOR = 40 * HOUR
"""So long after the chaos everything must be over, told and found."""

TURNS_AT_MOST = 100_000
"""More is a loop that goes round without any time passing."""


@dataclass(frozen=True)
class Outcome:
    """What became of a seed. `trace` is empty unless it was asked for."""

    seed: int
    violations: tuple[str, ...]
    trace: tuple[str, ...]


def simulate(seed: int, *, store: str = "sqlite", traced: bool = False) -> Outcome:
    """Run one seed to its end, on one of `STORES`."""
    under_test = STORES[store]
    plan, trace = plan_of(seed, under_test.engine), list[str]()
    clockwork = Clockwork()
    with under_test.opened() as opened, _alone():

        def say(line: str) -> None:
            if traced:
                trace.append(f"{clockwork.now:10.2f} {line}")

        ledger = Ledger(lambda: clockwork.now, say)
        ground = Ground(plan, Random(seed), clockwork, ledger, opened, say)
        _run(ground)
    return Outcome(seed, tuple(ledger.violations), tuple(trace))


def _run(ground: Ground) -> None:
    plan: Plan = ground.plan
    ground.say(f"{plan}")
    services = {each.name: SimulatedService(ground, each) for each in plan.services}

    def furnish(process: Process, engine: Engine) -> Services:
        return Services(
            store=ProcessStore(process),
            providers=SimulatedProviders(services, process),
            channels=Bells(plan.receivers, process),
            watchers=engine,
            scheduler=engine,
            secrets=_NoSecrets(),
            clock=process,
            random=ground.random,
            engine=plan.engine,
        )

    engine = ENGINES[plan.engine](ground, furnish)
    people = People(ground, engine, services)
    ground.on_outbox = engine.outbox_changed

    def lost(job: Job) -> None:
        if job.handle is None or may_be_lost(ground, services[job.order.provider], job):
            return
        text = f"{job.id} was taken for lost, but {job.order.provider} never said so for long"
        ground.ledger.violation("never lost while it runs", text)

    ground.ledger.on_lost = lost
    engine.begin()
    people.begin()

    def is_over() -> bool:
        return people.busy == 0 and not ground.is_chaos and _is_quiet(ground)

    if not ground.clockwork.run(is_over, plan.chaos_for + CALM_FOR, TURNS_AT_MOST):
        ledger = ground.ledger
        ledger.violation("it comes to rest", f"not at {ground.now:.0f} s, {people.busy} wait")
    judge(ground, services)
    process = engine.process()
    ground.clockwork.current = None
    if process is not None:
        for task in process.tasks:
            task.kill()


def _is_quiet(ground: Ground) -> bool:
    return ground.store.next_due_at() is None and ground.store.next_outbox_due_at() is None


class _NoSecrets(OpenSecrets):
    def read(self, reference: str) -> str:
        return f"secret behind {reference}"


class _InTurn:
    """In place of a pool of threads: what is submitted is done at once, in this task."""

    def __init__(self, *_args: Any) -> None:
        pass

    def __enter__(self) -> _InTurn:
        return self

    def __exit__(self, *_exc: object) -> None:
        pass

    def submit(self, work: Callable[..., Any], *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work(*args))
        return future


@contextmanager
def _alone() -> Iterator[None]:
    """No threads beside the tasks, and no log of the many troubles that are meant to be."""
    pool, level = vars(publishing)["ThreadPoolExecutor"], trainbell_log.level
    vars(publishing)["ThreadPoolExecutor"] = _InTurn
    trainbell_log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        vars(publishing)["ThreadPoolExecutor"] = pool
        trainbell_log.setLevel(level)
