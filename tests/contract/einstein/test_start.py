"""Starts at Einstein: train and retrain (E1), one at a time (E4), refusals (E7), forms (E9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest

from tests.builders import NOON, a_connection, a_job
from tests.contract.einstein.service import (
    JOB,
    a_provider,
    a_replay,
    a_retraining,
    a_sample,
    an_order,
)
from trainbell.domain.job import State
from trainbell.domain.order import WhenBusy
from trainbell.errors import (
    ProviderJobMissing,
    ProviderRejected,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.providers.einstein import PROVIDER
from trainbell.providers.einstein.provider import Einstein
from trainbell.simulators.einstein import EinsteinSimulator
from trainbell.simulators.einstein.trainings import (
    IMAGE_DATASET,
    INTENT_DATASET,
    Plan,
)
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.holds import busy_holds

# ---------------------------------------------------------------- E1: train and retrain


def test_E1_train_makes_a_model_with_the_job_in_its_name(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    for service, dataset in (("vision", IMAGE_DATASET), ("language", INTENT_DATASET)):
        handle = einstein.start(an_order(JOB, service=service, datasetId=dataset))
        assert handle == {"service": service, "id": handle["id"]}
        assert simulator.account.models[handle["id"]].name == f"Beaches [trainbell:{JOB}]"
        assert einstein.poll(handle).state is State.QUEUED


@pytest.mark.parametrize("service", ["vision", "language"])
def test_E1_retrain_keeps_the_model_id_and_ends_with_its_own_end(
    einstein: Einstein,
    simulator: EinsteinSimulator,
    pass_time: Callable[[float], None],
    service: str,
) -> None:
    dataset = IMAGE_DATASET if service == "vision" else INTENT_DATASET
    model = simulator.account.add_model(dataset, "Old")
    handle = einstein.start(a_retraining(model.id, service=service))
    assert handle["id"] == model.id
    seen = [einstein.poll(handle)]
    for seconds in (2, 10, 10):
        pass_time(seconds)
        seen.append(einstein.poll(handle))
    assert [s.vendor_status for s in seen] == ["QUEUED", "RUNNING", "RUNNING", "SUCCEEDED"]
    assert simulator.starts == {f"retrain:{model.id}": 1}


def test_E1_a_stale_succeeded_right_after_a_retrain_does_not_end_the_job(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    simulator.account.stale_seconds = 30
    simulator.account.plan = Plan(queued_seconds=1, running_seconds=9)
    handle = einstein.start(a_retraining(model.id))
    stale = einstein.poll(handle)
    assert (stale.vendor_status, stale.state) == ("SUCCEEDED", State.QUEUED)
    assert stale.ended_at is None
    assert not stale.performance
    pass_time(29)  # The retraining has ended by now, and still the former one is shown.
    assert einstein.poll(handle).state is State.QUEUED
    pass_time(1)
    end = einstein.poll(handle)
    assert end.state is State.SUCCEEDED
    assert end.ended_at is not None
    assert (end.ended_at - NOON).total_seconds() == 10


def test_E1_an_answer_that_still_bears_the_old_time_does_not_make_the_old_end_new() -> None:
    """The service says QUEUED with the former `updatedAt`, and then shows the former end again."""
    old = {**a_sample("training_succeeded"), "modelId": "M1"}
    einstein = a_replay(M1=old, retrain={**old, "status": "QUEUED"})
    handle = einstein.start(a_retraining("M1", service="language"))
    assert einstein.poll(handle).state is State.QUEUED


def test_E1_a_former_failure_is_stale_too(einstein: Einstein, simulator: EinsteinSimulator) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    model.latest.plan = replace(model.latest.plan, failure="too few examples")
    simulator.account.stale_seconds = 30
    handle = einstein.start(a_retraining(model.id))
    assert einstein.poll(handle).state is State.QUEUED


def test_E1_a_service_that_never_moves_the_time_keeps_no_job_from_its_end(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    simulator.account.stale_seconds = 1e6
    handle = einstein.start(a_retraining(model.id))
    pass_time(3599)
    assert einstein.poll(handle).state is State.QUEUED
    pass_time(1)
    end = einstein.poll(handle)
    assert (end.state, end.ended_at) == (State.SUCCEEDED, None)


def test_E1_a_model_that_has_just_changed_is_left_alone_for_a_while(
    einstein: Einstein, simulator: EinsteinSimulator, pass_time: Callable[[float], None]
) -> None:
    """Else a look-up could not tell the retraining from the training before it."""
    model = simulator.account.add_model(IMAGE_DATASET, "Young", days_old=0)
    simulator.account.end_now(model.id)
    pass_time(4)
    order = a_retraining(model.id, sent_at=NOON + timedelta(seconds=4))
    with pytest.raises(ProviderUnavailable, match="a little later") as raised:
        einstein.start(order)
    assert raised.value.retry_after_seconds == pytest.approx(6, abs=0.1)
    assert einstein.find(order) is None
    pass_time(6.1)
    einstein.start(replace(order, sent_at=NOON + timedelta(seconds=10.1)))
    assert simulator.starts[f"retrain:{model.id}"] == 1


@pytest.mark.parametrize("skew", [0, -7200, 7200])
@pytest.mark.parametrize("ended", [False, True])
def test_E1_a_lost_retraining_is_found_whatever_the_services_clock_says(
    einstein: Einstein,
    simulator: EinsteinSimulator,
    pass_time: Callable[[float], None],
    skew: float,
    ended: bool,
) -> None:
    simulator.clock.skew_seconds = skew
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    order = a_retraining(model.id, epochs=7, trainParams={"trainSplitRatio": 0.7})
    assert einstein.find(order) is None
    simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, path="/retrain$"))
    with pytest.raises(StartOutcomeUnknown):
        einstein.start(order)
    if ended:
        pass_time(60)
    found = einstein.find(order)
    assert found is not None
    expected = State.SUCCEEDED if ended else State.QUEUED
    assert einstein.poll(found).state is expected


@pytest.mark.parametrize(
    "fields", [{"epochs": 8}, {"trainParams": {"trainSplitRatio": 0.8}}, {"learningRate": 0.002}]
)
def test_E1_a_retraining_that_was_asked_for_otherwise_is_not_ours(
    einstein: Einstein, simulator: EinsteinSimulator, fields: dict[str, Any]
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    given: dict[str, Any] = {
        "epochs": 7,
        "trainParams": {"trainSplitRatio": 0.7},
        "learningRate": 0.001,
    }
    einstein.start(a_retraining(model.id, **given))
    assert einstein.find(a_retraining(model.id, **{**given, **fields})) is None


# ---------------------------------------------------------------- E4: one at a time per dataset


@pytest.mark.parametrize("kind", ["train", "retrain"])
def test_E4_a_second_training_of_a_dataset_is_refused_or_waits_as_the_caller_asks(
    einstein: Einstein,
    simulator: EinsteinSimulator,
    pass_time: Callable[[float], None],
    kind: str,
) -> None:
    """Somebody else's training, that is: Trainbell's own are told apart by its hold."""
    old = simulator.account.add_model(IMAGE_DATASET, "Old")
    other = simulator.account.train(simulator.account.datasets[IMAGE_DATASET], "Other", {})
    order = an_order() if kind == "train" else a_retraining(old.id)
    with pytest.raises(ProviderRejected, match=f"model {other.id} is QUEUED"):
        einstein.start(order)
    waits = replace(order, when_busy=WhenBusy.WAIT)
    with pytest.raises(ProviderUnavailable, match="waits its turn"):
        einstein.start(waits)
    assert not simulator.starts
    pass_time(22)
    einstein.start(waits)
    assert sum(simulator.starts.values()) == 1


def test_E4_a_retrained_model_that_is_busy_itself_is_told_before_anything_is_sent(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    einstein.start(a_retraining(model.id))
    with pytest.raises(ProviderRejected, match="is QUEUED"):
        einstein.start(a_retraining(model.id))
    with pytest.raises(ProviderUnavailable, match="waits its turn"):
        einstein.start(a_retraining(model.id, when_busy=WhenBusy.WAIT))
    assert simulator.starts[f"retrain:{model.id}"] == 1


def test_E4_who_would_wait_is_not_refused_because_the_reason_cannot_be_read(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    simulator.account.train(simulator.account.datasets[IMAGE_DATASET], "Other", {})
    for when_busy, kind in (
        (WhenBusy.WAIT, ProviderUnavailable),
        (WhenBusy.REFUSE, ProviderRejected),
    ):
        simulator.faults.add(Fault(kind=FaultKind.ERROR, path="/models$"))
        with pytest.raises(kind):
            einstein.start(an_order(when_busy=when_busy))
    assert PROVIDER.one_active_per_dataset


def test_E4_trainbells_own_jobs_hold_the_dataset_and_a_retrained_model() -> None:
    def holds(**fields: Any) -> tuple[str, ...]:
        job = a_job(provider="einstein", connection="einstein", **fields)
        connection = a_connection(name="einstein", provider="einstein")
        return busy_holds(cast(Services, None), job, PROVIDER, connection)

    assert holds(kind="train", dataset="57", model="Beaches") == ("dataset:einstein:57",)
    assert holds(kind="retrain", model="M1") == ("model:einstein:M1",)


# ---------------------------------------------------------------- E7: refused, nothing started


def test_E7_a_dataset_that_is_gone_or_about_to_be_is_a_clear_refusal(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    orders = [an_order(), a_retraining(model.id)]
    simulator.account.delete_dataset(simulator.account.datasets[IMAGE_DATASET])
    for order in orders:
        with pytest.raises(ProviderRejected, match="DELETE_PENDING") as raised:
            einstein.start(order)
        assert raised.value.http_status == 400
        assert raised.value.details == {"message": "Dataset 57 has the status DELETE_PENDING"}
    simulator.clock.advance(5)
    for order in orders:
        with pytest.raises(ProviderRejected, match="it may have been deleted"):
            einstein.start(order)
    assert einstein.find(an_order()) is None
    assert not simulator.starts


def test_E7_a_model_that_was_deleted_is_a_clear_refusal(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    einstein.delete({"service": "vision", "id": model.id})
    with pytest.raises(ProviderRejected, match=f"model {model.id} does not exist"):
        einstein.start(a_retraining(model.id))
    assert einstein.find(a_retraining(model.id)) is None
    with pytest.raises(ProviderJobMissing):
        einstein.delete({"service": "vision", "id": model.id})
    assert not simulator.starts


def test_E7_only_a_model_at_rest_is_deleted(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    handle = einstein.start(an_order())
    with pytest.raises(ProviderRejected, match="QUEUED"):
        einstein.delete(handle)
    simulator.account.end_now(handle["id"])
    einstein.delete(handle)
    with pytest.raises(ProviderJobMissing):
        einstein.poll(handle)


def test_E7_an_unreadable_model_before_a_retraining_is_no_unclear_start(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    simulator.faults.add(Fault(kind=FaultKind.HTML, path="/train/"))
    with pytest.raises(ProviderUnavailable, match="nothing was sent"):
        einstein.start(a_retraining(model.id))
    assert not simulator.starts


# ---------------------------------------------------------------- E9: multipart requests


def test_E9_a_start_is_a_multipart_form_with_any_text() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if request.url.path == "/v2/oauth2/token":
            return httpx.Response(200, json={"access_token": "T", "expires_in": "60"})
        return httpx.Response(200, json={"modelId": "M1", "status": "QUEUED"})

    einstein = a_provider("https://api.einstein.ai", transport=httpx.MockTransport(answer))
    name = 'Möwen "am" Strand; --x'
    assert einstein.start(an_order(name=name)) == {"service": "vision", "id": "M1"}
    content_type = sent[1].headers["content-type"]
    kind, _, boundary = content_type.partition("; boundary=")
    assert kind == "multipart/form-data"
    assert sent[1].content.decode().split(f"--{boundary}")[1:] == [
        f'\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name} [trainbell:{JOB}]\r\n',
        '\r\nContent-Disposition: form-data; name="datasetId"\r\n\r\n57\r\n',
        "--\r\n",
    ]


def test_E9_the_simulated_service_reads_what_was_sent(
    einstein: Einstein, simulator: EinsteinSimulator
) -> None:
    handle = einstein.start(an_order(name="Möwen am Strand", epochs=3))
    model = simulator.account.models[handle["id"]]
    assert model.name == f"Möwen am Strand [trainbell:{JOB}]"
    assert model.latest.epochs == 3
