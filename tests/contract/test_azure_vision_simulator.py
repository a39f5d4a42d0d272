"""The simulated Azure AI Vision, called as its REST pages show it: plain HTTP, no client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.builders import NOON
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.azure_vision.account import CLASSIFICATION_DATASET, DETECTION_DATASET
from trainbell.simulators.azure_vision.runs import Plan
from trainbell.simulators.azure_vision.service import API_KEY, API_VERSION
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.server import running

AUTH = {"Ocp-Apim-Subscription-Key": API_KEY}
VERSION = {"api-version": API_VERSION}
TRAINING = {"timeBudgetInHours": 100, "trainingDatasetName": CLASSIFICATION_DATASET}
BODY = {"trainingParameters": TRAINING}
URI = "https://acme.blob.core.windows.net/images/train.json"
DATASET = {"annotationKind": "imageClassification", "annotationFileUris": [URI]}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[AzureVisionSimulator, str]]:
    simulator = AzureVisionSimulator(SimulatorClock(speed=0, start=NOON))
    with running(simulator) as url:
        yield simulator, url + simulator.base_path


@pytest.fixture
def simulator(served: tuple[AzureVisionSimulator, str]) -> AzureVisionSimulator:
    fresh = AzureVisionSimulator(SimulatorClock(speed=0, start=NOON))
    vars(served[0]).update(vars(fresh))
    return served[0]


@pytest.fixture
def http(
    served: tuple[AzureVisionSimulator, str], simulator: AzureVisionSimulator
) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1], headers=AUTH, params=VERSION, trust_env=False) as client:
        yield client


def trained(simulator: AzureVisionSimulator, name: str = "trained") -> None:
    run = simulator.account.train(name, BODY)
    run.end(simulator.clock.now())


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error, which every refusal has in the documented form, with its header."""
    error: dict[str, Any] = answer.json()["error"]
    assert answer.headers["x-ms-error-code"] == error["code"]
    assert error["message"]
    return error


def test_a_new_model_is_told_as_in_the_documented_example(
    http: httpx.Client, simulator: AzureVisionSimulator
) -> None:
    answer = http.put("/models/model_name", json=BODY)
    assert answer.status_code == 201
    assert answer.json() == {
        "name": "model_name",
        "createdDateTime": "2026-03-02T12:00:00.000Z",
        "updatedDateTime": "2026-03-02T12:00:00.000Z",
        "status": "notStarted",
        "trainingParameters": TRAINING,
    }
    assert http.get("/models/model_name").json() == answer.json()
    assert simulator.starts == {"model_name": 1}
    assert answer.headers["apim-request-id"]


def test_it_goes_through_its_states_to_performance_and_cost(
    http: httpx.Client, simulator: AzureVisionSimulator
) -> None:
    simulator.account.plan = Plan(waiting_seconds=5, working_seconds=120)
    http.put("/models/m", json=BODY)
    states = []
    for seconds in (0, 5, 119, 1):
        simulator.clock.advance(seconds)
        model = http.get("/models/m").json()
        states.append((model["status"], model["updatedDateTime"], "modelPerformance" in model))
    assert states == [
        ("notStarted", "2026-03-02T12:00:00.000Z", False),
        ("training", "2026-03-02T12:00:05.000Z", False),
        ("training", "2026-03-02T12:00:05.000Z", False),
        ("succeeded", "2026-03-02T12:02:05.000Z", True),
    ]
    assert model["trainingCostInMinutes"] == 2
    assert set(model["modelPerformance"]["tagPerformance"]) == {"daisy", "rose", "tulip"}


def test_names_of_properties_are_bound_whatever_their_case(http: httpx.Client) -> None:
    pascal = {
        "TrainingParameters": {
            "TrainingDatasetName": DETECTION_DATASET,
            "TimeBudgetInHours": 1344,
            "ModelKind": "Generic-Detector",
        },
        "EvaluationParameters": {"TestDatasetName": DETECTION_DATASET},
        "NoSuchProperty": 1,
    }
    assert http.put("/models/m", json=pascal).json()["trainingParameters"] == {
        "timeBudgetInHours": 1344,
        "trainingDatasetName": DETECTION_DATASET,
        "modelKind": "Generic-Detector",
    }


@pytest.mark.parametrize("media_type", ["application/json-patch+json", "application/json; v=1"])
def test_both_media_types_are_taken(http: httpx.Client, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    answer = http.put(
        "/models/m",
        content=b'{"trainingParameters": {"timeBudgetInHours": 1, "trainingDatasetName": "x"}}',
        headers=headers,
    )
    assert answer.status_code == 201


def test_other_media_types_and_no_json_are_refused(http: httpx.Client) -> None:
    plain = http.put("/models/m", content=b"{}", headers={"Content-Type": "text/plain"})
    assert (plain.status_code, error_of(plain)["code"]) == (415, "UnsupportedMediaType")
    headers = {"Content-Type": "application/json"}
    for content in (b"", b"{", b"[]", b"\xff", b"[" * 100_000):
        answer = http.put("/models/m", content=content, headers=headers)
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ({}, "trainingParameters"),
        ({"trainingParameters": []}, "trainingParameters"),
        ({"trainingParameters": {"timeBudgetInHours": 1}}, "trainingDatasetName"),
        ({"trainingParameters": {"trainingDatasetName": "x"}}, "timeBudgetInHours"),
        ({"trainingParameters": {**TRAINING, "trainingDatasetName": 1}}, "trainingDatasetName"),
        ({"trainingParameters": {**TRAINING, "timeBudgetInHours": 0}}, "timeBudgetInHours"),
        ({"trainingParameters": {**TRAINING, "timeBudgetInHours": 337}}, "timeBudgetInHours"),
        ({"trainingParameters": {**TRAINING, "timeBudgetInHours": "1"}}, "timeBudgetInHours"),
        ({"trainingParameters": {**TRAINING, "timeBudgetInHours": True}}, "timeBudgetInHours"),
        ({"trainingParameters": {**TRAINING, "modelKind": "Other"}}, "modelKind"),
        ({"trainingParameters": {**TRAINING, "modelKind": ["x"]}}, "modelKind"),
        ({**BODY, "evaluationParameters": {}}, "testDatasetName"),
        ({**BODY, "evaluationParameters": 3}, "testDatasetName"),
    ],
)
def test_wrong_input_starts_nothing(
    http: httpx.Client, simulator: AzureVisionSimulator, body: object, target: str
) -> None:
    answer = http.put("/models/m", json=body)
    assert answer.status_code == 400
    error = error_of(answer)
    assert error["target"].endswith(target)
    assert error["innererror"]["innererror"]["code"]
    assert not simulator.starts
    assert http.get("/models/m").status_code == 404


def test_all_that_is_wrong_is_in_the_details(http: httpx.Client) -> None:
    wrong = {"trainingParameters": {"timeBudgetInHours": 0}, "evaluationParameters": {}}
    error = error_of(http.put("/models/-", json=wrong))
    assert [detail["target"] for detail in error["details"]] == [
        "name",
        "trainingParameters.trainingDatasetName",
        "trainingParameters.timeBudgetInHours",
        "evaluationParameters.testDatasetName",
    ]


@pytest.mark.parametrize(
    ("kind", "longest"),
    [("Generic-Classifier", 336), ("Generic-Detector", 1344), ("Product-Recognizer", 336)],
)
def test_budgets_at_the_edges_and_one_past(http: httpx.Client, kind: str, longest: int) -> None:
    codes = []
    for hours in (0, 1, longest, longest + 1):
        training = {**TRAINING, "modelKind": kind, "timeBudgetInHours": hours}
        body = {"trainingParameters": training}
        codes.append(http.put(f"/models/m{hours}", json=body).status_code)
    assert codes == [400, 201, 201, 400]


def test_without_a_kind_the_dataset_decides(http: httpx.Client) -> None:
    training = {"trainingDatasetName": DETECTION_DATASET, "timeBudgetInHours": 1344}
    assert http.put("/models/m", json={"trainingParameters": training}).status_code == 201


@pytest.mark.parametrize("name", ["-m", ".m", "_m", "m m", "mü"])
def test_names_outside_the_pattern_are_400(http: httpx.Client, name: str) -> None:
    assert error_of(http.put(f"/models/{name}", json=BODY))["target"] == "name"
    assert http.put(f"/datasets/{name}", json=DATASET).status_code == 400


def test_a_name_can_be_used_once_and_again_after_its_deletion(
    http: httpx.Client, simulator: AzureVisionSimulator
) -> None:
    assert http.put("/models/m", json=BODY).status_code == 201
    again = http.put("/models/m", json=BODY)
    assert (again.status_code, error_of(again)["code"]) == (409, "ModelAlreadyExists")
    running_ = http.delete("/models/m")
    assert (running_.status_code, error_of(running_)["code"]) == (400, "ModelNotInTerminalState")
    simulator.account.models["m"].end(simulator.clock.now())
    deleted = http.delete("/models/m")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert http.delete("/models/m").status_code == 404
    assert http.put("/models/m", json=BODY).status_code == 201
    assert simulator.starts == {"m": 2}


def test_a_cancel_goes_through_cancelling_and_comes_too_late_after_the_end(
    http: httpx.Client, simulator: AzureVisionSimulator
) -> None:
    assert http.post("/models/m:cancel").status_code == 404
    http.put("/models/m", json=BODY)
    for _ in range(2):
        answer = http.post("/models/m:cancel")
        assert (answer.status_code, answer.json()) == (202, {})
    assert http.get("/models/m").json()["status"] == "cancelling"
    assert http.delete("/models/m").status_code == 400
    simulator.clock.advance(2)
    assert http.get("/models/m").json()["status"] == "cancelled"
    assert http.get("/models/m").json()["trainingCostInMinutes"] == 0
    late = http.post("/models/m:cancel")
    assert (late.status_code, error_of(late)["code"]) == (400, "ModelNotCancellable")
    assert http.delete("/models/m").status_code == 204


def test_a_training_fails_as_planned_with_its_error_whole(
    http: httpx.Client, simulator: AzureVisionSimulator
) -> None:
    error = {"code": "diverged", "message": "m", "innererror": {"code": "NaN", "message": "loss"}}
    plan = {"waiting_seconds": 0, "working_seconds": 10, "error": error, "fails_at": 0.5}
    simulator.apply_settings({"plans": [plan]})
    http.put("/models/m", json=BODY)
    simulator.clock.advance(5)
    model = http.get("/models/m").json()
    assert (model["status"], model["error"]) == ("failed", error)
    assert "modelPerformance" not in model


@pytest.mark.parametrize("dataset", ["nowhere", CLASSIFICATION_DATASET])
def test_a_dataset_that_is_not_there_fails_the_training_not_its_creation(
    http: httpx.Client, simulator: AzureVisionSimulator, dataset: str
) -> None:
    training = {**TRAINING, "trainingDatasetName": dataset}
    assert http.put("/models/m", json={"trainingParameters": training}).status_code == 201
    simulator.clock.advance(100)
    error = http.get("/models/m").json().get("error", {})
    assert error.get("code") == ("datasetNotFound" if dataset == "nowhere" else None)


def test_pages_hold_at_most_thirty(http: httpx.Client) -> None:
    for n in range(35):
        http.put(f"/models/m{n}", json=BODY)
    page = http.get("/models").json()
    assert list(page) == ["value"]
    assert [m["name"] for m in page["value"]] == [f"m{n}" for n in range(30)]
    rest = http.get("/models", params={**VERSION, "skip": 30, "top": 30}).json()["value"]
    assert [m["name"] for m in rest] == [f"m{n}" for n in range(30, 35)]
    for wrong in ({"top": 0}, {"top": 31}, {"skip": -1}, {"top": "x"}, {"skip": "x"}):
        assert http.get("/models", params={**VERSION, **wrong}).status_code == 400


def test_an_evaluation_goes_through_its_own_states(
    http: httpx.Client, simulator: AzureVisionSimulator
) -> None:
    trained(simulator)
    body = {"evaluationParameters": {"testDatasetName": CLASSIFICATION_DATASET}}
    answer = http.put("/models/trained/evaluations/e", json=body)
    assert answer.status_code == 201
    assert answer.json() == {
        "name": "e",
        "modelName": "trained",
        "createdDateTime": "2026-03-02T12:00:00.000Z",
        "updatedDateTime": "2026-03-02T12:00:00.000Z",
        "status": "notStarted",
        **body,
    }
    again = http.put("/models/trained/evaluations/e", json=body)
    assert (again.status_code, error_of(again)["code"]) == (409, "EvaluationAlreadyExists")
    simulator.clock.advance(2)
    assert http.get("/models/trained/evaluations/e").json()["status"] == "running"
    simulator.clock.advance(20)
    evaluation = http.get("/models/trained/evaluations/e").json()
    assert (evaluation["status"], "trainingCostInMinutes" in evaluation) == ("succeeded", False)
    assert evaluation["modelPerformance"]["accuracyTop1"] == 0.93
    assert http.delete("/models/trained/evaluations/e").status_code == 204
    assert http.get("/models/trained/evaluations/e").status_code == 404
    assert http.delete("/models/trained/evaluations/e").status_code == 404


def test_an_evaluation_needs_a_trained_model_and_goes_with_it(
    http: httpx.Client, simulator: AzureVisionSimulator
) -> None:
    body = {"evaluationParameters": {"testDatasetName": CLASSIFICATION_DATASET}}
    http.put("/models/m", json=BODY)
    for model in ("m", "nowhere"):
        assert http.put(f"/models/{model}/evaluations/e", json=body).status_code == 400
    trained(simulator)
    assert http.put("/models/trained/evaluations/e", json={}).status_code == 400
    assert http.put("/models/trained/evaluations/-", json=body).status_code == 400
    http.put("/models/trained/evaluations/e", json=body)
    http.delete("/models/trained")
    assert http.get("/models/trained/evaluations/e").status_code == 404


def test_datasets_are_registered_changed_and_deleted(http: httpx.Client) -> None:
    created = http.put("/datasets/d", json=DATASET)
    assert created.status_code == 201
    assert created.json()["authentication"] == {"kind": "managedIdentity"}
    again = http.put("/datasets/d", json=DATASET)
    assert (again.status_code, error_of(again)["code"]) == (409, "DatasetAlreadyExists")
    changed = http.patch("/datasets/d", json={"AnnotationFileUris": [URI, URI]})
    assert changed.json()["annotationFileUris"] == [URI, URI]
    assert changed.json()["annotationKind"] == "imageClassification"
    assert http.get("/datasets/d").json() == changed.json()
    assert http.delete("/datasets/d").status_code == 204
    for method in ("GET", "DELETE", "PATCH"):
        assert http.request(method, "/datasets/d", json={}).status_code == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"annotationKind": "imageSegmentation"}, "InvalidRequest"),
        ({"annotationFileUris": []}, "InvalidRequest"),
        ({"authentication": {"kind": "sas"}}, "InvalidRequest"),
        ({"authentication": "sas"}, "InvalidRequest"),
        ({"annotationFileUris": ["train.json"]}, "DatasetInvalidAnnotationUri"),
        ({"annotationFileUris": ["http://acme/x.json"]}, "DatasetInvalidAnnotationUri"),
        ({"annotationFileUris": [7]}, "DatasetInvalidAnnotationUri"),
    ],
)
def test_a_wrong_dataset_is_400(http: httpx.Client, change: dict[str, Any], code: str) -> None:
    answer = http.put("/datasets/d", json={**DATASET, **change})
    assert (answer.status_code, error_of(answer)["code"]) == (400, code)
    sas = {"authentication": {"kind": "sas", "sasToken": "sv=1"}}
    assert http.put("/datasets/d", json={**DATASET, **sas}).status_code == 201


@pytest.mark.parametrize("key", [None, "", "wrong", API_KEY + "x"])
def test_another_key_is_401(served: tuple[AzureVisionSimulator, str], key: str | None) -> None:
    headers = {} if key is None else {"Ocp-Apim-Subscription-Key": key}
    answer = httpx.get(f"{served[1]}/models", params=VERSION, headers=headers, trust_env=False)
    assert (answer.status_code, error_of(answer)["code"]) == (401, "401")


@pytest.mark.parametrize("version", [{}, {"api-version": "2024-02-01"}])
def test_the_version_is_required_on_every_call(
    served: tuple[AzureVisionSimulator, str], version: dict[str, str]
) -> None:
    for path in ("models", "models/m", "models/m/evaluations/e", "datasets/d"):
        answer = httpx.get(f"{served[1]}/{path}", params=version, headers=AUTH, trust_env=False)
        assert (answer.status_code, error_of(answer)["target"]) == (400, "api-version")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/models/", 404),
        ("GET", "/datasets", 405),
        ("POST", "/models", 405),
        ("POST", "/models/m", 405),
        ("GET", "/models/m:cancel", 405),
        ("POST", "/models/m/evaluations/e", 405),
        ("POST", "/models/m:cancel/evaluations/e", 405),
        ("POST", "/datasets/d:cancel", 405),
        ("GET", "/datasets/d/evaluations/e", 405),
        ("GET", "//models", 200),
    ],
)
def test_other_calls(http: httpx.Client, method: str, path: str, status: int) -> None:
    url = str(http.base_url).rstrip("/") + path
    assert http.request(method, url).status_code == status


def test_a_wrong_clock_is_written_down_once(
    http: httpx.Client, simulator: AzureVisionSimulator
) -> None:
    simulator.clock.skew_seconds = -3600
    http.put("/models/m", json=BODY)
    simulator.clock.skew_seconds = 0
    assert http.get("/models/m").json()["createdDateTime"] == "2026-03-02T11:00:00.000Z"


def test_settings_and_counters(http: httpx.Client, simulator: AzureVisionSimulator) -> None:
    control = str(http.base_url.copy_with(path="/_simulator/"))
    plans = {"plans": [{"waiting_seconds": 0, "working_seconds": 0}], "plan": {"error": "diverged"}}
    assert http.post(control + "settings", json=plans).status_code == 204
    for name in ("a", "b"):
        http.put(f"/models/{name}", json=BODY)
    simulator.clock.advance(timedelta(hours=1).total_seconds())
    counters = http.get(control + "counters").json()
    assert counters["starts"] == {"a": 1, "b": 1}
    assert counters["states"] == {"failed": 1, "succeeded": 1}
    assert http.post(control + "settings", json={"colour": 3}).status_code == 400
