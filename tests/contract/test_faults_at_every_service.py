"""Every fault that a service can be asked for, at every service: no job is lost or doubled.

The whole of Trainbell's use cases, a real store and a real socket; only the time is moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.builders import OneSecret, a_caller
from tests.e2e.test_every_kind import JOBS
from tests.toy_service import ToyService, a_trainbell
from trainbell.domain.events import EventType
from trainbell.domain.job import Job, State
from trainbell.domain.settings import Connection
from trainbell.providers.catalog import Catalog
from trainbell.simulators.__main__ import access, names, simulator
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.simulators.server import running
from trainbell.simulators.service import SimulatedService
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.request_job import request_job

LOOKS_AT_MOST = 400
FAULTS_IN_A_ROW = 3
NOT_A_TOKEN = r"^(?!.*oauth2/token)"
"""Otherwise Einstein's faults would all befall the asking for a token, before anything starts."""


@contextmanager
def trainbell_at(provider: str, folder: Path) -> Iterator[tuple[Services, SimulatedService]]:
    """Trainbell and the service on one clock, which moves only when told to."""
    clock = SimulatorClock(speed=0, start=datetime.now(UTC))
    service = simulator(provider, clock)
    key = access(provider)
    with closing(SqliteStore(folder / "jobs.sqlite3")) as store, running(service) as url:
        connection = Connection(
            name=provider,
            provider=provider,
            base_url=url + service.base_path,
            secret="env:KEY",
            options=key.options,
        )
        store.put_config(connection)
        with closing(Catalog(OneSecret(key.secret), clock)) as catalog:
            toy = ToyService(clock)  # type: ignore[arg-type]  # only its clock is used here
            yield a_trainbell(store, toy, providers=catalog, clock=clock), service


def run_to_its_end(services: Services, service: SimulatedService, job: Job, fault: Fault) -> Job:
    """Faults at the start, and again once it runs."""
    service.faults.add(fault)
    again = True
    for _ in range(LOOKS_AT_MOST):
        outcome = advance_job(services, job.id)
        if outcome.wait_seconds is None:
            return outcome.job
        if again and outcome.job.state is State.RUNNING:
            again = False
            service.faults.add(fault)
        service.clock.advance(min(outcome.wait_seconds, 15))
    raise AssertionError(f"still {services.store.get(job.id)}")


@pytest.mark.parametrize("kind", list(FaultKind))
@pytest.mark.parametrize("provider", names())
def test_no_fault_loses_doubles_or_ends_a_job_wrongly(
    provider: str, kind: FaultKind, tmp_path: Path
) -> None:
    first = next(iter(JOBS[provider]))
    fault = Fault(kind=kind, path=NOT_A_TOKEN, times=FAULTS_IN_A_ROW, seconds=0.01)
    with trainbell_at(provider, tmp_path) as (services, service):
        body = {
            "provider": provider,
            "kind": first,
            "parameters": JOBS[provider][first],
            "min_interval_seconds": 1,
            "max_interval_seconds": 10,
        }
        job, _ = request_job(services, body, by=a_caller("ada"))
        ended = run_to_its_end(services, service, job, fault)
        assert ended.state is State.SUCCEEDED, ended
        # A late answer is no failure, so fewer looks may be enough to meet all of them.
        assert kind is FaultKind.LATENCY or len(service.faults) == 0
        assert list(service.starts.values()) == [1]
        events = services.store.events(job.id, limit=1000).items
        assert [event.type for event in events].count(EventType.JOB_FINISHED) == 1
        said = "\n".join(map(repr, events))
        assert access(provider).secret not in said
