"""Started once: Trainbell is killed at every write of a start, and the service counts trainings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import a_caller
from tests.contract.store_factories import Place
from tests.contract.test_faults_at_every_service import trainbell_at
from tests.dying_store import DyingStore, Killed
from tests.e2e.test_every_kind import JOBS
from trainbell.domain.job import State
from trainbell.simulators.__main__ import names
from trainbell.simulators.service import SimulatedService
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.jobs.resume_starts import resume_starts

WRITES = {1: "create", 2: "intent", 3: "handle", 4: "first poll"}
LOOKS_AT_MOST = 200


def drive(services: Services, service: SimulatedService, provider: str) -> State:
    kind = next(iter(JOBS[provider]))
    body = {
        "provider": provider,
        "kind": kind,
        "parameters": JOBS[provider][kind],
        "min_interval_seconds": 1,
        "max_interval_seconds": 10,
    }
    job, _ = request_job(services, body, by=a_caller("ada"), idempotency_key="the-one-request")
    for _ in range(LOOKS_AT_MOST):
        outcome = advance_job(services, job.id)
        if outcome.wait_seconds is None:
            return outcome.job.state
        service.clock.advance(min(outcome.wait_seconds, 15))
    raise AssertionError(f"still {outcome.job}")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("write", WRITES, ids=WRITES.values())
@pytest.mark.parametrize("provider", names())
def test_a_killed_start_is_one_training(
    provider: str, write: int, after: bool, place: Place
) -> None:
    with trainbell_at(provider, place()) as (services, service):
        dying = DyingStore(services.store, write, after=after)
        with pytest.raises(Killed):
            drive(replace(services, store=dying), service, provider)
        service.clock.advance(1)
        reborn = replace(services, store=place())
        resume_starts(reborn)
        assert drive(reborn, service, provider) is State.SUCCEEDED
        assert list(service.starts.values()) == [1]
