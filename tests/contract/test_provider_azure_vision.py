"""Azure AI Vision: the conformance suite for both kinds, and each feature (A1 to A10)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from tests.builders import NOON, FakeClock, a_caller, a_connection, a_running_job
from tests.inner_provider import inner
from tests.open_secrets import OpenSecrets
from tests.toy_service import ToyService, a_trainbell
from trainbell.conformance import HttpConformance, HttpSubject
from trainbell.domain.job import EndReason, State
from trainbell.domain.lifecycle import WatchRules, step
from trainbell.domain.observation import Observation
from trainbell.domain.polling import Pace
from trainbell.errors import (
    ConfigInvalid,
    NotSupported,
    ProviderAuthFailed,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.ports import Handle, Provider, StartOrder
from trainbell.providers.azure_vision import PROVIDER
from trainbell.providers.azure_vision.client import PAGE_SIZE
from trainbell.providers.azure_vision.parameters import (
    EvaluateParameters,
    Target,
    TrainParameters,
)
from trainbell.providers.azure_vision.provider import AzureVision
from trainbell.providers.azure_vision.status_map import EVALUATION_STATUS_MAP, STATUS_MAP
from trainbell.providers.azure_vision.vendor_models import MAX_TAGS
from trainbell.providers.catalog import Catalog
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.azure_vision.account import CLASSIFICATION_DATASET, DETECTION_DATASET
from trainbell.simulators.azure_vision.runs import Plan, Run
from trainbell.simulators.azure_vision.service import API_KEY
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.simulators.server import running
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.cancel_job import cancel_job
from trainbell.use_cases.jobs.request_job import request_job

JOB = "01jobaaaaaaaaaaaaaaaaaaaaa"
OTHER_JOB = "01jobbbbbbbbbbbbbbbbbbbbbb"
LIVE_URL = "https://acme.cognitiveservices.azure.com/computervision"
NAMES = ["m", "7", "Model.1_a-b", "x" * 255, "a..b"]
NO_NAMES = ["", "-m", ".m", "_m", "m m", "m/n", "m:cancel", "mü", "m\n", "..", "x" * 256, 7]


class OneSecret(OpenSecrets):
    def __init__(self, secret: str) -> None:
        self.secret = secret

    def read(self, reference: str) -> str:
        return self.secret


def a_provider(
    base_url: str = LIVE_URL,
    secret: str = API_KEY,
    transport: httpx.BaseTransport | None = None,
) -> AzureVision:
    catalog = Catalog(OneSecret(secret), FakeClock(), transport=transport)
    connection = a_connection(
        name="azure", provider="azure_vision", base_url=base_url, secret="env:AZURE_KEY"
    )
    client = inner(catalog.client(connection))
    assert isinstance(client, AzureVision)
    return client


def an_order(job_id: str = JOB, **parameters: Any) -> StartOrder:
    given = {
        "training_dataset_name": CLASSIFICATION_DATASET,
        "model_kind": "Generic-Classifier",
        "time_budget_in_hours": 100,
        **parameters,
    }
    given = {name: value for name, value in given.items() if value is not None}
    return StartOrder(job_id=job_id, kind="train", parameters=given)


def an_evaluation(job_id: str = JOB, **parameters: Any) -> StartOrder:
    given = {"model_name": "trained", "test_dataset_name": CLASSIFICATION_DATASET, **parameters}
    return StartOrder(job_id=job_id, kind="evaluate", parameters=given)


def sample(name: str) -> dict[str, Any]:
    path = files("trainbell.providers.azure_vision") / "samples" / f"{name}.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def answering(status: int = 200, **answer: Any) -> AzureVision:
    """A provider whose service gives this answer to everything."""
    return a_provider(transport=httpx.MockTransport(lambda _: httpx.Response(status, **answer)))


def polled(document: dict[str, Any], handle: Handle | None = None) -> Observation:
    return answering(json=document).poll(handle or {"model": "model_name"})


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[AzureVisionSimulator, str]]:
    simulator = AzureVisionSimulator(SimulatorClock(speed=0, start=NOON))
    with running(simulator) as url:
        yield simulator, url + simulator.base_path


@pytest.fixture
def simulator(served: tuple[AzureVisionSimulator, str]) -> AzureVisionSimulator:
    """The one server, as if it had just started."""
    fresh = AzureVisionSimulator(SimulatorClock(speed=0, start=NOON))
    vars(served[0]).update(vars(fresh))
    return served[0]


@pytest.fixture
def made() -> Iterator[list[Provider]]:
    providers: list[Provider] = []
    yield providers
    for provider in providers:
        provider.close()


@pytest.fixture
def base_url(served: tuple[AzureVisionSimulator, str], simulator: AzureVisionSimulator) -> str:
    return served[1]


@pytest.fixture
def azure(base_url: str, made: list[Provider]) -> AzureVision:
    made.append(provider := a_provider(base_url))
    return provider


def run_of(simulator: AzureVisionSimulator, handle: Handle) -> Run:
    if "evaluation" in handle:
        return simulator.account.evaluations[handle["model"], handle["evaluation"]]
    return simulator.account.models[handle["model"]]


def finish(simulator: AzureVisionSimulator, handle: Handle) -> None:
    run_of(simulator, handle).end(simulator.clock.now())


def a_trained_model(
    simulator: AzureVisionSimulator, name: str = "trained", kind: str = "Generic-Classifier"
) -> Run:
    detects = kind == "Generic-Detector"
    training = {
        "timeBudgetInHours": 1,
        "trainingDatasetName": DETECTION_DATASET if detects else CLASSIFICATION_DATASET,
        "modelKind": kind,
    }
    run = simulator.account.train(name, {"trainingParameters": training})
    run.end(simulator.clock.now())
    return run


class TestConformance(HttpConformance):
    spec = PROVIDER

    @pytest.fixture
    def subject(
        self,
        job_kind: str,
        simulator: AzureVisionSimulator,
        base_url: str,
        azure: AzureVision,
        made: list[Provider],
    ) -> HttpSubject:
        def another(url: str = base_url, **wanted: Any) -> AzureVision:
            made.append(provider := a_provider(url, **wanted))
            return provider

        def say(handle: Handle, status: str) -> None:
            run = run_of(simulator, handle)
            run.plan = replace(run.plan, state=status)

        of_kind = {"train": of_training, "evaluate": of_evaluation}[job_kind]
        return HttpSubject(
            spec=PROVIDER,
            provider=azure,
            finish=lambda handle: finish(simulator, handle),
            package="trainbell.providers.azure_vision",
            fault=simulator.faults.add,
            secret=API_KEY,
            with_secret=lambda secret: another(secret=secret),
            through=lambda transport: another(transport=transport),
            unreachable=another("http://127.0.0.1:1/computervision"),
            say=say,
            start_method="PUT",
            get_on=lambda: simulator.clock.advance(1),
            **of_kind(simulator),
        )


def of_training(simulator: AzureVisionSimulator) -> dict[str, Any]:
    return {
        "order": an_order,
        # Without a kind the service itself judges the budget, by the dataset.
        "bad_order": lambda job_id: an_order(job_id, model_kind=None, time_budget_in_hours=337),
        "starts": lambda job_id: simulator.starts[f"trainbell-{job_id}"],
        "unknown_handle": {"model": "no-such-model"},
        "status_map": STATUS_MAP,
        "documented_statuses": frozenset(
            {"notStarted", "training", "cancelling", "cancelled", "succeeded", "failed"}
        ),
    }


def of_evaluation(simulator: AzureVisionSimulator) -> dict[str, Any]:
    a_trained_model(simulator)
    return {
        "order": an_evaluation,
        "bad_order": lambda job_id: an_evaluation(job_id, model_name="no-such-model"),
        "starts": lambda job_id: simulator.starts[f"trained/trainbell-{job_id}"],
        "unknown_handle": {"model": "trained", "evaluation": "no-such-evaluation"},
        "status_map": EVALUATION_STATUS_MAP,
        "documented_statuses": frozenset({"notStarted", "running", "succeeded", "failed"}),
    }


# ---------------------------------------------------------------- A1: a name of the caller's


def test_A1_a_model_gets_the_name_that_the_caller_chose(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    handle = azure.start(an_order(model_name="Shelf.v1_a-b"))
    assert handle == {"model": "Shelf.v1_a-b", "created_at": "2026-03-02T12:00:00+00:00"}
    assert simulator.starts == {"Shelf.v1_a-b": 1}
    assert azure.find(an_order(model_name="Shelf.v1_a-b")) == handle


def test_A1_without_a_name_it_is_made_from_the_jobs_id(azure: AzureVision) -> None:
    assert azure.start(an_order())["model"] == f"trainbell-{JOB}"


@pytest.mark.parametrize("name", NAMES)
def test_A1_names_at_the_edge_of_the_pattern_are_taken(azure: AzureVision, name: str) -> None:
    assert azure.start(an_order(model_name=name))["model"] == name


@pytest.mark.parametrize("name", NO_NAMES)
def test_A1_names_outside_the_pattern_are_refused_before_anything_is_sent(
    azure: AzureVision, simulator: AzureVisionSimulator, name: Any
) -> None:
    for order in (an_order(model_name=name), an_evaluation(evaluation_name=name)):
        with pytest.raises(ProviderRejected, match="_name"):
            azure.start(order)
    assert not simulator.requests


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"training_dataset_name": DETECTION_DATASET}, "another trainingDatasetName"),
        ({"time_budget_in_hours": 99}, "another timeBudgetInHours"),
        ({"model_kind": "Product-Recognizer"}, "another modelKind"),
        ({"test_dataset_name": CLASSIFICATION_DATASET}, "another testDatasetName"),
        (
            {"training_dataset_name": "x", "time_budget_in_hours": 1},
            "another trainingDatasetName and another timeBudgetInHours",
        ),
    ],
)
def test_A1_a_name_that_exists_with_other_parameters_is_refused_and_never_adopted(
    azure: AzureVision, changes: dict[str, Any], why: str
) -> None:
    azure.start(an_order(OTHER_JOB, model_name="taken"))
    order = an_order(model_name="taken", **changes)
    with pytest.raises(ProviderRejected, match=f"exists .* already .*{why};") as raised:
        azure.start(order)
    assert raised.value.http_status == 409
    assert raised.value.vendor_code == "ModelAlreadyExists"
    assert azure.find(order) is None


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.DROPPED_AFTER])
def test_A1_a_start_sent_again_after_a_lost_answer_meets_409_and_adopts_its_own(
    azure: AzureVision, simulator: AzureVisionSimulator, kind: FaultKind
) -> None:
    order = replace(an_order(model_name="mine"), requested_at=NOON - timedelta(seconds=5))
    simulator.faults.add(Fault(kind=kind, method="PUT"))
    with pytest.raises(StartOutcomeUnknown):
        azure.start(order)
    handle = azure.start(order)
    assert handle == azure.find(order)
    assert simulator.starts == {"mine": 1}


def test_A1_an_equal_model_that_was_there_before_the_request_is_not_ours(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    azure.start(an_order(OTHER_JOB, model_name="taken"))
    late = replace(an_order(model_name="taken"), requested_at=NOON + timedelta(seconds=61))
    with pytest.raises(ProviderRejected, match="before this job was requested"):
        azure.start(late)
    assert azure.find(late) is None
    in_time = replace(late, requested_at=NOON + timedelta(seconds=60))
    assert azure.find(in_time) is not None
    assert simulator.starts == {"taken": 1}


def test_A1_a_name_of_trainbells_own_needs_no_clock_to_be_ours(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    simulator.clock.skew_seconds = -7200
    order = replace(an_order(), requested_at=NOON)
    assert azure.find(order) is None
    handle = azure.start(order)
    assert azure.find(order) == handle
    assert azure.start(order) == handle
    assert simulator.starts == {f"trainbell-{JOB}": 1}


def test_A1_a_model_that_somebody_has_evaluated_besides_is_not_ours(azure: AzureVision) -> None:
    evaluated = an_order(OTHER_JOB, model_name="taken", test_dataset_name=CLASSIFICATION_DATASET)
    azure.start(evaluated)
    assert azure.find(an_order(model_name="taken")) is None


def test_A1_a_kind_that_the_answer_leaves_out_does_not_make_it_foreign() -> None:
    """As in the documented example, whose answer has no modelKind."""
    document = sample("model_created")
    order = an_order(model_name="model_name", training_dataset_name="my_dataset_name")
    assert answering(json=document).find(order) is not None
    other = {**document, "trainingParameters": {"timeBudgetInHours": 100}}
    assert answering(json=other).find(order) is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, ProviderUnavailable),
        (429, ProviderThrottled),
        (401, ProviderAuthFailed),
        (200, ProviderReplyInvalid),
    ],
)
def test_A1_a_comparison_that_fails_is_neither_an_adoption_nor_a_refusal(
    status: int, error: type[Exception]
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            return httpx.Response(409, json=sample("name_taken_409"))
        return httpx.Response(status, text="?")

    with pytest.raises(error):
        a_provider(transport=httpx.MockTransport(handler)).start(an_order())


def test_A1_a_name_that_was_freed_while_it_was_looked_at_stays_refused() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            return httpx.Response(409, json=sample("name_taken_409"))
        return httpx.Response(404, json={"error": {"code": "ModelNotFound", "message": "gone"}})

    with pytest.raises(ProviderRejected, match="already exists"):
        a_provider(transport=httpx.MockTransport(handler)).start(an_order())


# ---------------------------------------------------------------- A2: model kinds


@pytest.mark.parametrize("kind", ["Generic-Classifier", "Generic-Detector", "Product-Recognizer"])
def test_A2_each_kind_is_sent_as_it_is_named(
    azure: AzureVision, simulator: AzureVisionSimulator, kind: str
) -> None:
    handle = azure.start(an_order(model_kind=kind))
    assert run_of(simulator, handle).given["trainingParameters"]["modelKind"] == kind


@pytest.mark.parametrize("kind", ["generic-classifier", "GenericDetector", "", 1])
def test_A2_any_other_kind_is_refused(kind: Any) -> None:
    with pytest.raises(ValidationError, match="model_kind"):
        TrainParameters.model_validate(an_order(model_kind=kind).parameters)


def test_A2_a_kind_may_be_left_out_as_in_the_documented_example(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    run = run_of(simulator, azure.start(an_order(model_kind=None)))
    assert run.given == {
        "trainingParameters": {
            "timeBudgetInHours": 100,
            "trainingDatasetName": CLASSIFICATION_DATASET,
        }
    }


# ---------------------------------------------------------------- A3: the time budget

LONGEST = [
    ("Generic-Classifier", 336),
    ("Generic-Detector", 1344),
    ("Product-Recognizer", 336),
    (None, 1344),
]


@pytest.mark.parametrize(("kind", "longest"), LONGEST)
def test_A3_time_budget_at_the_edges_and_one_past(kind: str | None, longest: int) -> None:
    for hours in (1, longest):
        parameters = an_order(model_kind=kind, time_budget_in_hours=hours).parameters
        assert TrainParameters.model_validate(parameters).time_budget_in_hours == hours
    wrong: list[Any] = [0, longest + 1, -1, 1.5, "1", True]
    for value in wrong:
        parameters = an_order(model_kind=kind, time_budget_in_hours=value).parameters
        with pytest.raises(ValidationError, match="time_budget_in_hours"):
            TrainParameters.model_validate(parameters)


@pytest.mark.parametrize(("kind", "longest"), LONGEST[:3])
def test_A3_the_service_has_the_same_edges(azure: AzureVision, kind: str, longest: int) -> None:
    def body(hours: int) -> dict[str, Any]:
        order = an_order(model_kind=kind, time_budget_in_hours=1)
        wire = dict(TrainParameters.model_validate(order.parameters).wire())
        return {"trainingParameters": {**wire["trainingParameters"], "timeBudgetInHours": hours}}

    azure.client.create(Target("shortest"), body(1))
    azure.client.create(Target("longest"), body(longest))
    for hours in (0, longest + 1):
        with pytest.raises(ProviderRejected, match=f"from 1 to {longest}"):
            azure.client.create(Target("wrong"), body(hours))


def test_A3_all_problems_are_told_at_once() -> None:
    wrong = {
        "model_name": "-",
        "model_kind": "Generic-Classifier",
        "time_budget_in_hours": 337,
        "epochs": 3,
    }
    with pytest.raises(ValidationError) as raised:
        TrainParameters.model_validate(wrong)
    assert {problem["loc"][0] for problem in raised.value.errors()} == {
        "model_name",
        "training_dataset_name",
        "time_budget_in_hours",
        "epochs",
    }


def test_A3_the_schema_says_the_ranges_too() -> None:
    schema = TrainParameters.model_json_schema()
    budget = schema["properties"]["time_budget_in_hours"]
    assert (budget["minimum"], budget["maximum"]) == (1, 1344)
    assert schema["if"]["properties"]["model_kind"]["enum"] == [
        "Generic-Classifier",
        "Product-Recognizer",
    ]
    assert schema["then"]["properties"]["time_budget_in_hours"]["maximum"] == 336


def test_A3_a_training_of_56_days_is_watched_to_its_end(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    simulator.account.plan = Plan(waiting_seconds=0, working_seconds=1344 * 3600)
    handle = azure.start(an_order(model_kind="Generic-Detector", time_budget_in_hours=1344))
    simulator.clock.advance(1344 * 3600 - 1)
    assert azure.poll(handle).state is State.RUNNING
    simulator.clock.advance(1)
    end = azure.poll(handle)
    assert end.state is State.SUCCEEDED
    assert end.ended_at == NOON + timedelta(days=56)
    assert end.performance.cost == {"training_minutes": 80_640}


def test_A3_a_budget_that_does_not_suffice_fails_the_training(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    simulator.account.plan = Plan(waiting_seconds=0, working_seconds=3601)
    handle = azure.start(an_order(time_budget_in_hours=1))
    simulator.clock.advance(3600)
    end = azure.poll(handle)
    assert (end.state, end.vendor_code) == (State.FAILED, "notEnoughBudget")


# ---------------------------------------------------------------- A4: evaluation


def test_A4_a_test_dataset_can_be_given_with_the_training(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    handle = azure.start(an_order(test_dataset_name=CLASSIFICATION_DATASET))
    assert run_of(simulator, handle).given["evaluationParameters"] == {
        "testDatasetName": CLASSIFICATION_DATASET
    }


def test_A4_an_evaluation_is_a_job_of_its_own_with_its_own_states(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    a_trained_model(simulator)
    simulator.account.plan = Plan(waiting_seconds=5, working_seconds=10)
    handle = azure.start(an_evaluation(evaluation_name="eval-1"))
    assert handle == {
        "model": "trained",
        "evaluation": "eval-1",
        "created_at": "2026-03-02T12:00:00+00:00",
    }
    seen = [azure.poll(handle)]
    for seconds in (5, 10):
        simulator.clock.advance(seconds)
        seen.append(azure.poll(handle))
    assert [s.vendor_status for s in seen] == ["notStarted", "running", "succeeded"]
    assert [s.state for s in seen] == [State.QUEUED, State.RUNNING, State.SUCCEEDED]
    assert seen[-1].performance.metrics["accuracyTop1"] == 0.93
    assert seen[-1].performance.cost == {}


def test_A4_an_evaluation_that_exists_is_compared_before_it_is_adopted(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    a_trained_model(simulator)
    azure.start(an_evaluation(OTHER_JOB, evaluation_name="eval-1"))
    other = an_evaluation(evaluation_name="eval-1", test_dataset_name=DETECTION_DATASET)
    with pytest.raises(ProviderRejected, match="another testDatasetName"):
        azure.start(other)
    assert azure.find(other) is None
    assert azure.find(an_evaluation(evaluation_name="eval-1")) is not None
    assert simulator.starts == {"trained/eval-1": 1}


@pytest.mark.parametrize(
    ("kind", "dataset", "code"),
    [
        ("Generic-Detector", CLASSIFICATION_DATASET, "incorrectModelKind"),
        ("Generic-Classifier", DETECTION_DATASET, "incorrectModelKind"),
        ("Generic-Classifier", "nowhere", "datasetNotFound"),
    ],
)
def test_A4_an_evaluation_fails_with_the_services_own_code(
    azure: AzureVision, simulator: AzureVisionSimulator, kind: str, dataset: str, code: str
) -> None:
    a_trained_model(simulator, kind=kind)
    handle = azure.start(an_evaluation(test_dataset_name=dataset))
    simulator.clock.advance(60)
    end = azure.poll(handle)
    assert (end.state, end.vendor_code) == (State.FAILED, code)


def test_A4_its_parameters_are_checked_all_at_once() -> None:
    with pytest.raises(ValidationError) as raised:
        EvaluateParameters.model_validate({"model_name": "-", "time_budget_in_hours": 1})
    assert {problem["loc"][0] for problem in raised.value.errors()} == {
        "model_name",
        "test_dataset_name",
        "time_budget_in_hours",
    }
    for name in ("x", "x" * 255):
        EvaluateParameters.model_validate({"model_name": "m", "test_dataset_name": name})
    wrong: list[Any] = ["", "x" * 256, None]
    for name in wrong:
        with pytest.raises(ValidationError, match="test_dataset_name"):
            EvaluateParameters.model_validate({"model_name": "m", "test_dataset_name": name})


def test_A4_dataset_and_model_of_the_parameters() -> None:
    assert PROVIDER.dataset_of
    assert PROVIDER.model_of
    assert PROVIDER.dataset_of(an_order().parameters) == CLASSIFICATION_DATASET
    assert PROVIDER.dataset_of({"model_name": "m", "test_dataset_name": "t"}) == "t"
    assert PROVIDER.model_of({"model_name": "m"}) == "m"
    assert PROVIDER.model_of(an_order().parameters) is None
    assert PROVIDER.dataset_of({"training_dataset_name": 7}) is None


# ---------------------------------------------------------------- A5: states


def test_A5_a_training_passes_through_its_states(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    simulator.account.plan = Plan(waiting_seconds=10, working_seconds=100)
    handle = azure.start(an_order())
    seen = [azure.poll(handle)]
    for seconds in (10, 100):
        simulator.clock.advance(seconds)
        seen.append(azure.poll(handle))
    assert [s.vendor_status for s in seen] == ["notStarted", "training", "succeeded"]
    assert [s.state for s in seen] == [State.QUEUED, State.RUNNING, State.SUCCEEDED]
    assert [s.ended_at for s in seen] == [None, None, NOON + timedelta(seconds=110)]
    assert [s.progress for s in seen] == [None] * 3


def test_A5_the_documented_example_reads_as_documented() -> None:
    seen = polled(sample("model_created"))
    assert (seen.vendor_status, seen.state, seen.ended_at) == ("notStarted", State.QUEUED, None)
    assert not seen.performance
    ended = polled(sample("model_classifier_succeeded"))
    assert ended.ended_at == datetime(2023, 1, 14, 3, 10, 5, 900_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2023-01-13T20:46:21.2101234Z", datetime(2023, 1, 13, 20, 46, 21, 210_123, tzinfo=UTC)),
        ("2023-01-13T20:46:21", datetime(2023, 1, 13, 20, 46, 21, tzinfo=UTC)),
        ("2023-01-13T21:46:21+01:00", datetime(2023, 1, 13, 20, 46, 21, tzinfo=UTC)),
        ("soon", None),
        ("0001-01-01T00:00:00+14:00", None),
        (None, None),
        (7, None),
    ],
)
def test_A5_times_are_read_with_their_zone_or_left_out(written: Any, read: datetime | None) -> None:
    document = {**sample("model_detector_succeeded"), "updatedDateTime": written}
    assert polled(document).ended_at == read


@pytest.mark.parametrize(
    "change", [{"status": None}, {"status": 3}, {"status": ""}, {"name": None}]
)
def test_A5_an_answer_without_a_readable_status_is_invalid(change: dict[str, Any]) -> None:
    with pytest.raises(ProviderReplyInvalid):
        polled({**sample("model_created"), **change})


# ---------------------------------------------------------------- A6: performance


def test_A6_performance_of_a_classifier_with_its_tags() -> None:
    performance = polled(sample("model_classifier_succeeded")).performance
    assert performance.metrics == {
        "accuracyTop1": 0.9375,
        "accuracyTop5": 0.9948,
        "averagePrecision": 0.9611,
        "calibrationECE": 0.0213,
    }
    assert performance.per_tag == {"daisy": {"accuracy": 0.95}, "rose": {"accuracy": 0.925}}


def test_A6_performance_of_a_detector_with_its_tags() -> None:
    performance = polled(sample("model_detector_succeeded")).performance
    assert performance.metrics == {
        "averagePrecision": 0.8102,
        "meanAveragePrecision30": 0.8815,
        "meanAveragePrecision50": 0.8433,
        "meanAveragePrecision75": 0.6207,
    }
    assert performance.per_tag["can"] == {"averagePrecision50": 0.8156}


def test_A6_performance_of_an_evaluation() -> None:
    handle = {"model": "model_name", "evaluation": "evaluation_name"}
    performance = polled(sample("evaluation_succeeded"), handle).performance
    assert performance.metrics["calibrationECE"] == 0.0254
    assert performance.per_tag["rose"] == {"accuracy": 0.9162}


@pytest.mark.parametrize("kind", ["Generic-Detector", "Product-Recognizer"])
def test_A6_the_simulated_detectors_have_every_documented_metric(
    azure: AzureVision, simulator: AzureVisionSimulator, kind: str
) -> None:
    handle = azure.start(an_order(model_kind=kind, training_dataset_name=DETECTION_DATASET))
    finish(simulator, handle)
    performance = azure.poll(handle).performance
    assert set(performance.metrics) == {
        "averagePrecision",
        "meanAveragePrecision30",
        "meanAveragePrecision50",
        "meanAveragePrecision75",
    }
    assert set(performance.per_tag) == {"bottle", "can", "gap"}


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 400, "true", '"0.5"', "[]"])
def test_A6_what_is_no_finite_number_is_left_out(number: str) -> None:
    body = (
        '{"name": "m", "status": "succeeded", "trainingCostInMinutes": NUMBER,'
        ' "modelPerformance": {"accuracyTop1": NUMBER, "accuracyTop5": 0.5,'
        ' "tagPerformance": {"a": {"accuracy": NUMBER}, "b": 3}}}'
    ).replace("NUMBER", number)
    performance = answering(content=body).poll({"model": "m"}).performance
    assert performance.metrics == {"accuracyTop5": 0.5}
    assert performance.per_tag == {"a": {}}
    assert performance.cost == {}


@pytest.mark.parametrize("performance", [None, [], "good", {"tagPerformance": 3}])
def test_A6_performance_of_another_shape_does_not_spoil_the_answer(performance: Any) -> None:
    document = {**sample("model_detector_succeeded"), "modelPerformance": performance}
    seen = polled(document)
    assert (seen.state, seen.performance.metrics) == (State.SUCCEEDED, {})


def test_A6_more_tags_than_the_service_can_have_are_refused() -> None:
    def document(tags: int) -> dict[str, Any]:
        by_tag = {f"tag {n}": {"accuracy": 0.5} for n in range(tags)}
        return {**sample("model_created"), "modelPerformance": {"tagPerformance": by_tag}}

    assert len(polled(document(MAX_TAGS)).performance.per_tag) == MAX_TAGS
    with pytest.raises(ProviderReplyInvalid, match=f"more than {MAX_TAGS} tags"):
        polled(document(MAX_TAGS + 1))


# ---------------------------------------------------------------- A7: cost


def test_A7_the_cost_is_there_once_the_training_is_complete(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    simulator.account.plan = Plan(waiting_seconds=60, working_seconds=90)
    handle = azure.start(an_order())
    simulator.clock.advance(149)
    assert azure.poll(handle).performance.cost == {}
    simulator.clock.advance(1)
    assert azure.poll(handle).performance.cost == {"training_minutes": 2}


def test_A7_a_failed_and_a_cancelled_training_have_their_cost_too(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    assert polled(sample("model_failed")).performance.cost == {"training_minutes": 3}
    simulator.account.plan = Plan(waiting_seconds=0, working_seconds=9e9, cancelling_seconds=60)
    handle = azure.start(an_order(time_budget_in_hours=336))
    simulator.clock.advance(3600)
    azure.cancel(handle)
    simulator.clock.advance(60)
    assert azure.poll(handle).performance.cost == {"training_minutes": 61}


# ---------------------------------------------------------------- A8: errors, kept whole


def test_A8_a_refusal_keeps_the_services_own_error_whole(azure: AzureVision) -> None:
    with pytest.raises(ProviderRejected) as raised:
        azure.start(an_order(model_kind=None, time_budget_in_hours=337))
    error = raised.value
    message = "It must be an integer from 1 to 336 for Generic-Classifier."
    assert message in str(error)
    assert (error.http_status, error.vendor_code) == (400, "InvalidRequest")
    assert error.request_id
    assert error.details == {
        "error": {
            "code": "InvalidRequest",
            "message": message,
            "target": "trainingParameters.timeBudgetInHours",
            "details": [
                {
                    "code": "InvalidRequest",
                    "message": message,
                    "target": "trainingParameters.timeBudgetInHours",
                }
            ],
            "innererror": {
                "code": "InvalidParameterValue",
                "message": "A parameter of the request is not valid.",
                "innererror": {"code": "OutOfRange", "message": message},
            },
        }
    }


def test_A8_a_name_that_is_taken_keeps_the_services_error_beside_ours() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            return httpx.Response(409, json=sample("name_taken_409"))
        return httpx.Response(200, json=sample("model_created"))

    order = an_order(model_name="model_name")
    with pytest.raises(ProviderRejected, match="is not of this job") as raised:
        a_provider(transport=httpx.MockTransport(handler)).start(order)
    assert raised.value.details == sample("name_taken_409")


def test_A8_the_header_names_the_code_where_the_body_does_not() -> None:
    headers = {"x-ms-error-code": "InvalidModelName", "x-ms-request-id": "req-1"}
    with pytest.raises(ProviderRejected) as raised:
        answering(400, headers=headers, text="Bad Request").check()
    assert raised.value.vendor_code == "InvalidModelName"
    assert raised.value.request_id == "req-1"


def test_A8_a_failed_trainings_error_is_kept_whole_up_to_the_job() -> None:
    seen = polled(sample("model_failed"))
    whole = sample("model_failed")["error"]
    assert seen.state is State.FAILED
    assert seen.message == (
        "datasetCorrupt: The dataset my_dataset_name cannot be read. (trainingDatasetName)"
    )
    assert (seen.vendor_code, seen.error_details) == ("datasetCorrupt", whole)
    job = a_running_job(provider="azure_vision", handle={"model": "model_name"})
    ended = step(job, seen, NOON, WatchRules(), Pace()).job
    assert ended.end_reason is EndReason.SERVICE_FAILED
    assert ended.watch.last_error is not None
    assert ended.watch.last_error.details == whole
    assert ended.watch.last_error.vendor_code == "datasetCorrupt"


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (None, None, None),
        ({}, None, None),
        ("broken", None, None),
        ({"code": 7, "message": None}, None, None),
        ({"message": "It diverged."}, "It diverged.", None),
        ({"code": "diverged"}, "diverged", "diverged"),
    ],
)
def test_A8_an_error_that_lacks_parts_is_told_as_far_as_it_goes(
    error: Any, message: str | None, code: str | None
) -> None:
    seen = polled({**sample("model_failed"), "error": error})
    assert (seen.state, seen.message, seen.vendor_code) == (State.FAILED, message, code)


def test_A8_an_error_never_repeats_the_key() -> None:
    error = {"code": API_KEY, "message": f"key {API_KEY}", "innererror": {"code": API_KEY}}
    assert API_KEY not in repr(polled({**sample("model_failed"), "error": error}))


@pytest.mark.parametrize(
    "code", ["diverged", "notEnoughBudget", "datasetCorrupt", "datasetNotFound", "unknown"]
)
def test_A8_every_documented_failure_code_comes_through(
    azure: AzureVision, simulator: AzureVisionSimulator, code: str
) -> None:
    simulator.account.plan = Plan(waiting_seconds=0, working_seconds=10, error=code, fails_at=0.5)
    handle = azure.start(an_order())
    simulator.clock.advance(5)
    end = azure.poll(handle)
    assert (end.state, end.vendor_code) == (State.FAILED, code)


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "<h1>Not here</h1>"},
        {"text": ""},
        {"json": {"error": "gone"}},
        {"json": {"error": {"code": "404", "message": "Resource not found"}}},
    ],
)
def test_A8_a_404_that_is_not_the_services_own_never_makes_a_job_look_lost(
    answer: dict[str, Any],
) -> None:
    provider = answering(404, **answer)
    for call in (lambda: provider.poll({"model": "m"}), lambda: provider.find(an_order())):
        with pytest.raises((ProviderReplyInvalid, ProviderUnavailable)):
            call()


# ---------------------------------------------------------------- A9: cancel


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


# ---------------------------------------------------------------- A10: list, get, delete


def test_A10_the_list_is_read_page_after_page(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    names = [a_trained_model(simulator, f"model-{n}").name for n in range(65)]
    assert [model.name for model in azure.client.every_model()] == names
    assert [m.name for m in azure.client.models(skip=60, top=2).value] == names[60:62]
    assert len(azure.client.models().value) == PAGE_SIZE == 30
    for wrong in ({"top": 31}, {"top": 0}, {"skip": -1}):
        with pytest.raises(ProviderRejected, match="400"):
            azure.client.models(**wrong)


def test_A10_a_list_without_an_end_is_given_up() -> None:
    with pytest.raises(ProviderReplyInvalid, match="no end is in sight"):
        list(answering(json={"value": [sample("model_created")]}).client.every_model())


def test_A10_get_gives_the_model_as_the_service_has_it(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    handle = azure.start(an_order())
    model = azure.client.get(Target(handle["model"]))
    assert model.name == handle["model"]
    assert model.parameters()["trainingParameters"]["timeBudgetInHours"] == 100


@pytest.mark.parametrize("status", ["notStarted", "training", "cancelling", "rebalancing"])
def test_A10_nothing_is_deleted_before_its_end(
    azure: AzureVision, simulator: AzureVisionSimulator, status: str
) -> None:
    handle = azure.start(an_order())
    run = run_of(simulator, handle)
    run.plan = replace(run.plan, state=status)
    with pytest.raises(ProviderRejected, match=f"is {status}; only an ended one"):
        azure.delete(handle)
    assert simulator.requests["DELETE"] == 0
    with pytest.raises(ProviderRejected, match="Cancel its training first"):
        azure.client.delete(Target(handle["model"]))


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_A10_delete_works_in_every_end_state(
    azure: AzureVision, simulator: AzureVisionSimulator, status: str
) -> None:
    handle = azure.start(an_order())
    run = run_of(simulator, handle)
    run.plan = replace(run.plan, state=status)
    azure.delete(handle)
    for gone in (azure.poll, azure.delete):
        with pytest.raises(ProviderJobMissing):
            gone(handle)


def test_A10_an_evaluation_is_deleted_and_its_model_stays(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    a_trained_model(simulator)
    handle = azure.start(an_evaluation())
    with pytest.raises(ProviderRejected, match="only an ended one"):
        azure.delete(handle)
    finish(simulator, handle)
    azure.delete(handle)
    with pytest.raises(ProviderJobMissing):
        azure.poll(handle)
    assert azure.client.get(Target("trained")).status == "succeeded"


# ---------------------------------------------------------------- the connection


def test_a_check_says_whether_there_are_models(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    assert azure.check() == "Azure AI Vision answered: this account has no model yet"
    a_trained_model(simulator)
    assert azure.check() == "Azure AI Vision answered: this account has models"


@pytest.mark.parametrize(
    "base_url",
    [
        "https://acme.cognitiveservices.azure.com",
        "https://acme.cognitiveservices.azure.com/",
        "https://acme.cognitiveservices.azure.com/computervision",
        "https://acme.cognitiveservices.azure.com/computervision/",
    ],
)
def test_the_endpoint_is_taken_as_the_portal_shows_it(base_url: str) -> None:
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(201, json=sample("model_created"))

    provider = a_provider(base_url, transport=httpx.MockTransport(handler))
    provider.start(an_order(model_name="model_name", test_dataset_name="my_test"))
    assert str(sent[0].url) == f"{LIVE_URL}/models/model_name?api-version=2023-04-01-preview"
    assert sent[0].headers["Ocp-Apim-Subscription-Key"] == API_KEY
    assert "Authorization" not in sent[0].headers
    assert json.loads(sent[0].content) == {
        "trainingParameters": {
            "trainingDatasetName": CLASSIFICATION_DATASET,
            "timeBudgetInHours": 100,
            "modelKind": "Generic-Classifier",
        },
        "evaluationParameters": {"testDatasetName": "my_test"},
    }


def test_a_connection_needs_its_own_base_url() -> None:
    catalog = Catalog(OneSecret(API_KEY), FakeClock())
    with pytest.raises(ConfigInvalid, match="base URL"):
        catalog.client(a_connection(provider="azure_vision", base_url=None))


def test_a_kind_that_it_does_not_have_is_refused(azure: AzureVision) -> None:
    with pytest.raises(ProviderRejected, match="no jobs of kind 'test'"):
        azure.start(StartOrder(job_id=JOB, kind="test", parameters={}))


@pytest.mark.parametrize(
    "handle", [{}, {"model": ""}, {"model": 7}, {"model": ".."}, {"model": "m", "evaluation": ""}]
)
def test_a_handle_without_a_name_is_of_no_job(azure: AzureVision, handle: Handle) -> None:
    with pytest.raises(ProviderJobMissing):
        azure.poll(handle)


def test_a_job_adopted_by_its_name_alone_is_watched(
    azure: AzureVision, simulator: AzureVisionSimulator
) -> None:
    a_trained_model(simulator)
    assert azure.poll({"model": "trained"}).state is State.SUCCEEDED
