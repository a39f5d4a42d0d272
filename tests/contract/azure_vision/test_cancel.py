"""Cancel at Azure AI Vision, through cancelling to cancelled (A9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import NOON, FakeClock, OneSecret, a_caller, a_connection
from tests.contract.azure_vision.service import (
    OTHER_JOB,
    a_trained_model,
    an_evaluation,
    an_order,
    finish,
    run_of,
)
from tests.toy_service import ToyService, a_trainbell
from trainbell.domain.job import EndReason, State
from trainbell.errors import (
    NotSupported,
    ProviderJobMissing,
    ProviderRejected,
)
from trainbell.providers.azure_vision import PROVIDER
from trainbell.providers.azure_vision.provider import AzureVision
from trainbell.providers.catalog import Catalog
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.azure_vision.runs import Plan
from trainbell.simulators.azure_vision.service import API_KEY
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.cancel_job import cancel_job
from trainbell.use_cases.jobs.request_job import request_job


def test_A9_a_cancel_goes_through_cancelling_to_cancelled(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    simulator.account.plan = Plan(working_seconds=1000, cancelling_seconds=30)
    handle = azure.start(an_order())
    simulator.clock.advance(10)
    azure.cancel(handle)
    assert azure.poll(handle).state is State.CANCELLING
    azure.cancel(handle)
    assert simulator.requests["POST"] == 1
    simulator.clock.advance(30)
    end = azure.poll(handle)
    assert (end.state, end.vendor_status) == (State.CANCELLED, "cancelled")
    assert end.ended_at == NOON + timedelta(seconds=40)


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_A9_what_has_ended_is_not_cancelled(
    azure: AzureVision, simulator: AzureVisionSimulator, status: str
) -> None:
    handle = azure.start(an_order())
    run = run_of(simulator, handle)
    run.plan = replace(run.plan, state=status)
    azure.cancel(handle)
    assert simulator.requests["POST"] == 0


def test_A9_a_training_that_ends_at_that_very_moment_is_a_clear_refusal(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    a_trained_model(simulator)
    with pytest.raises(ProviderRejected, match="succeeded and cannot be cancelled") as raised:
        azure.client.cancel("trained")
    assert raised.value.vendor_code == "ModelNotCancellable"


def test_A9_a_training_that_is_not_there_cannot_be_cancelled(azure: AzureVision) -> None:
    with pytest.raises(ProviderJobMissing):
        azure.client.cancel("no-such-model")
    with pytest.raises(ProviderJobMissing):
        azure.cancel({"model": "no-such-model"})


def test_A9_somebody_elses_training_of_the_same_name_is_never_touched(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    handle = azure.start(an_order(model_name="reused"))
    finish(simulator, handle)
    azure.delete(handle)
    simulator.clock.advance(2)
    azure.start(an_order(OTHER_JOB, model_name="reused"))
    calls = [azure.cancel, azure.poll, azure.delete]
    for call in calls:
        with pytest.raises(ProviderJobMissing, match="made anew at 2026-03-02T12:00:02"):
            call(handle)
    assert simulator.account.models["reused"].cancelled_at is None


def test_A9_a_clock_that_goes_wrong_meanwhile_loses_no_job(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    handle = azure.start(an_order())
    simulator.clock.skew_seconds = 3600
    assert azure.poll(handle).state is State.QUEUED


def test_A9_an_evaluation_cannot_be_cancelled_and_says_so(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    a_trained_model(simulator)
    handle = azure.start(an_evaluation())
    with pytest.raises(NotSupported, match="no call to cancel an evaluation"):
        azure.cancel(handle)
    assert PROVIDER.cancels("train")
    assert not PROVIDER.cancels("evaluate")


@pytest.fixture
def trainbell(tmp_path: Path, base_url: str) -> Iterator[Services]:
    """All use cases on a real store, with a connection to the simulator."""
    clock, store = FakeClock(), SqliteStore(tmp_path / "jobs.sqlite3")
    catalog = Catalog(OneSecret(API_KEY), clock)
    connection = a_connection(name="azure_vision", provider="azure_vision", base_url=base_url)
    store.put_config(connection)
    yield replace(a_trainbell(store, ToyService(clock)), providers=catalog)
    catalog.close()
    store.close()


def test_A4_A9_a_running_evaluation_refuses_a_cancel_and_expires_at_its_deadline(
    trainbell: Services, simulator: AzureVisionSimulator
) -> None:
    """A provider's ability to cancel is declared by kind: nobody waits for a confirmation here."""
    a_trained_model(simulator)
    body = {
        "provider": "azure_vision",
        "kind": "evaluate",
        "parameters": an_evaluation().parameters,
        "deadline_at": (NOON + timedelta(seconds=30)).isoformat(),
    }
    job, _ = request_job(trainbell, body, by=a_caller("me"))
    advance_job(trainbell, job.id)
    with pytest.raises(NotSupported, match="no call to cancel"):
        cancel_job(trainbell, job.id, by=a_caller("me"))
    assert isinstance(trainbell.clock, FakeClock)
    trainbell.clock.advance(30)
    expired = advance_job(trainbell, job.id).job
    assert expired.end_reason is EndReason.DEADLINE_EXCEEDED_STILL_RUNNING
    assert expired.may_still_cost


def test_A1_A9_a_lost_start_is_adopted_and_cancelled_for_real(
    trainbell: Services, simulator: AzureVisionSimulator
) -> None:
    simulator.account.plan = Plan(waiting_seconds=0, working_seconds=3000)
    simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, method="PUT"))
    parameters = an_order(model_name="mine").parameters
    body = {"provider": "azure_vision", "kind": "train", "parameters": parameters}
    job, _ = request_job(trainbell, body, by=a_caller("me"))
    assert isinstance(trainbell.clock, FakeClock)
    states = []
    for turn in range(6):
        if turn == 3:
            cancel_job(trainbell, job.id, by=a_caller("me"))
        outcome = advance_job(trainbell, job.id)
        states.append(outcome.job.state)
        trainbell.clock.advance(outcome.wait_seconds or 0)
        simulator.clock.advance(outcome.wait_seconds or 0)
    assert states == [
        State.STARTING,
        State.QUEUED,
        State.RUNNING,
        State.CANCELLING,
        State.CANCELLED,
        State.CANCELLED,
    ]
    assert outcome.job.end_reason is EndReason.CANCEL_CONFIRMED
    assert simulator.starts == {"mine": 1}
