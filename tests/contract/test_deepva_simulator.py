"""The simulated DeepVA, called as its documentation's samples call it: plain HTTP, no client."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.builders import NOON
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.deepva import DeepVASimulator
from trainbell.simulators.deepva.service import API_KEY
from trainbell.simulators.deepva.trainings import FACE_DATASET, LANDMARK_DATASET, Plan
from trainbell.simulators.server import running

AUTH = {"Authorization": f"Key {API_KEY}"}
BODY = {
    "source_dataset_id": FACE_DATASET,
    "output_model_name": "My Model",
    "output_model_description": "A model",
    "output_model_changelog": "initial training [trainbell:01job]",
    "config": {"min_face_size": 80},
}
FIELDS = [
    "id",
    "type",
    "state",
    "progress",
    "duration",
    "error",
    "time_created",
    "time_started",
    "time_completed",
    "source_dataset",
    "output_model_name",
    "output_model",
    "config",
    "output_model_description",
    "output_model_changelog",
]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[DeepVASimulator, str]]:
    simulator = DeepVASimulator(SimulatorClock(speed=0, start=NOON))
    with running(simulator) as url:
        yield simulator, url


@pytest.fixture
def simulator(served: tuple[DeepVASimulator, str]) -> DeepVASimulator:
    vars(served[0]).update(vars(DeepVASimulator(SimulatorClock(speed=0, start=NOON))))
    return served[0]


@pytest.fixture
def http(served: tuple[DeepVASimulator, str], simulator: DeepVASimulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1], headers=AUTH, trust_env=False) as client:
        yield client


def test_a_training_has_every_documented_field_and_its_times_have_no_zone(
    http: httpx.Client,
) -> None:
    started = http.post("/api/v1/trainings/", json=BODY)
    assert started.status_code == 201
    training = started.json()
    assert sorted(training) == sorted(FIELDS)
    assert training["source_dataset"]["id"] == FACE_DATASET
    assert (training["state"], training["output_model"], training["error"]) == ("waiting", None, "")
    assert training["time_created"] == "2026-03-02 12:00:00.000000"
    assert http.get(f"/api/v1/trainings/{training['id']}/").json() == training
    assert http.get(f"/v1/trainings/{training['id']}/").status_code == 200


def test_it_goes_through_its_states_and_makes_a_model_version(
    http: httpx.Client, simulator: DeepVASimulator
) -> None:
    simulator.account.plan = Plan(waiting_seconds=5, processing_seconds=10)
    path = f"/api/v1/trainings/{http.post('/api/v1/trainings/', json=BODY).json()['id']}/"
    states = []
    for seconds in (0, 5, 5, 5):
        simulator.clock.advance(seconds)
        training = http.get(path).json()
        states.append((training["state"], training["progress"], training["duration"]))
    assert states == [
        ("waiting", 0.0, 0.0),
        ("processing", 0.0, 0.0),
        ("processing", 0.5, 5.0),
        ("completed", 1.0, 10.0),
    ]
    assert training["time_completed"] == "2026-03-02 12:00:15.000000"
    assert training["output_model"]["name"] == "My Model"
    model = http.get("/api/v1/models/").json()["data"][0]
    assert http.get(f"/api/v1/models/{model['id']}/").json() == model
    versions = http.get(f"/api/v1/models/{model['id']}/versions/").json()["data"]
    assert versions[0]["version_number"] == 1
    assert versions[0]["changelog"] == BODY["output_model_changelog"]


def test_pages_are_as_documented_with_links_on_http(
    http: httpx.Client, simulator: DeepVASimulator
) -> None:
    ids = [http.post("/api/v1/trainings/", json=BODY).json()["id"] for _ in range(25)]
    first = http.get("/api/v1/trainings/").json()
    assert {k: first[k] for k in ("total", "offset", "limit", "prev")} == {
        "total": 25,
        "offset": 0,
        "limit": 10,
        "prev": None,
    }
    seen, page = first["data"], first
    while page["next"]:
        assert page["next"].startswith("http://")
        page = http.get(page["next"]).json()
        seen += page["data"]
    assert [t["id"] for t in seen] == ids[::-1]
    assert page["prev"].endswith("limit=10&offset=10")
    for wrong in ("limit=x", "limit=0", "offset=-1"):
        assert http.get(f"/api/v1/trainings/?{wrong}").status_code == 400


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source_dataset_id": "nope"}, "source_dataset_id"),
        ({"output_model_name": ""}, "output_model_name"),
        ({"output_model_changelog": 3}, "output_model_changelog"),
        ({"config": {"epochs": 3}}, "config"),
        ({"config": {"min_face_size": "80"}}, "config"),
        ({"config": []}, "config"),
        ({"source_dataset_id": LANDMARK_DATASET}, "config"),
    ],
)
def test_wrong_input_starts_nothing(
    http: httpx.Client, simulator: DeepVASimulator, change: dict[str, Any], field: str
) -> None:
    answer = http.post("/api/v1/trainings/", json={**BODY, **change})
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert not simulator.starts


@pytest.mark.parametrize("key", ["", "Key wrong", f"Bearer {API_KEY}", API_KEY])
def test_another_key_or_scheme_is_401(http: httpx.Client, key: str) -> None:
    answer = http.get("/api/v1/trainings/", headers={"Authorization": key})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/trainings/a09d87ed-1c12-4ea5-827e-906634626797/", 404),
        ("GET", "/api/v1/trainings", 404),
        ("DELETE", "/api/v1/trainings/", 405),
        ("PUT", "/api/v1/trainings/", 405),
        ("GET", "/api/v1/models/nope/versions/", 404),
        ("GET", "/elsewhere/", 404),
    ],
)
def test_other_calls(http: httpx.Client, method: str, path: str, status: int) -> None:
    assert http.request(method, path).status_code == status


def test_a_deleted_training_is_gone_and_its_model_stays(
    http: httpx.Client, simulator: DeepVASimulator
) -> None:
    identity = http.post("/api/v1/trainings/", json=BODY).json()["id"]
    simulator.account.end_now(identity)
    assert http.delete(f"/api/v1/trainings/{identity}/").status_code == 204
    assert http.get(f"/api/v1/trainings/{identity}/").status_code == 404
    assert http.get("/api/v1/models/").json()["total"] == 1


def test_datasets_are_face_and_landmark(http: httpx.Client) -> None:
    datasets = http.get("/api/v1/datasets/").json()["data"]
    assert [d["type"] for d in datasets] == ["face", "landmark"]
    assert http.get(f"/api/v1/datasets/{LANDMARK_DATASET}/").json() == datasets[1]


# ---------------------------------------------------------------- the control surface


def test_faults_come_in_order_and_as_often_as_asked(http: httpx.Client) -> None:
    faults = [
        {"kind": "throttled", "retry_after": "7", "method": "GET", "times": 2},
        {"kind": "html", "path": "/datasets/"},
    ]
    assert http.post("/_simulator/faults", json=faults).status_code == 204
    answers = [http.get("/api/v1/trainings/") for _ in range(3)]
    assert [(a.status_code, a.headers.get("retry-after")) for a in answers] == [
        (429, "7"),
        (429, "7"),
        (200, None),
    ]
    assert http.get("/api/v1/datasets/").headers["content-type"] == "text/html"
    http.post("/_simulator/faults", json=[{"kind": "error", "times": None}])
    assert [http.get("/api/v1/datasets/").status_code for _ in range(3)] == [500] * 3
    http.delete("/_simulator/faults")
    assert http.get("/api/v1/datasets/").status_code == 200


def test_work_is_done_or_not_done_as_the_fault_says(
    http: httpx.Client, simulator: DeepVASimulator
) -> None:
    for kind, error in (
        ("dropped_before", httpx.TransportError),
        ("dropped_after", httpx.TransportError),
        ("half_body", httpx.RemoteProtocolError),
    ):
        http.post("/_simulator/faults", json=[{"kind": kind, "path": "/trainings/"}])
        with pytest.raises(error):
            http.post("/api/v1/trainings/", json=BODY)
    assert simulator.starts == {"trainbell:01job": 2}
    assert http.get("/_simulator/counters").json()["starts"] == {"trainbell:01job": 2}


def test_latency_is_real(http: httpx.Client) -> None:
    http.post("/_simulator/faults", json=[{"kind": "latency", "seconds": 5}])
    with pytest.raises(httpx.ReadTimeout):
        http.get("/api/v1/datasets/", timeout=0.05)


def test_clock_skew_moves_what_it_says_and_not_what_it_does(http: httpx.Client) -> None:
    http.post("/_simulator/clock", json={"skew_seconds": -3600, "advance": 60})
    training = http.post("/api/v1/trainings/", json=BODY).json()
    assert training["time_created"] == "2026-03-02 11:01:00.000000"
    assert training["state"] == "waiting"


def test_settings_plan_the_next_trainings(http: httpx.Client) -> None:
    settings = {"plans": [{"waiting_seconds": 0, "processing_seconds": 0, "error": "bad faces"}]}
    http.post("/_simulator/settings", json=settings)
    states = [http.post("/api/v1/trainings/", json=BODY).json()["state"] for _ in range(2)]
    assert states == ["failed", "waiting"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", [{"kind": "earthquake"}]),
        ("faults", [{"kind": "html", "colour": 1}]),
        ("faults", [{}]),
        ("clock", {"sped": 3}),
        ("settings", {"plan": {"minutes": 3}}),
        ("settings", {"colour": 3}),
    ],
)
def test_a_wish_that_it_does_not_understand_is_400(
    http: httpx.Client, path: str, body: object
) -> None:
    answer = http.post(f"/_simulator/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_a_clock_runs_at_its_speed_and_can_be_moved() -> None:
    real = [100.0]
    clock = SimulatorClock(speed=10, start=NOON, monotonic=lambda: real[0])
    real[0] += 2
    assert (clock.now() - NOON).total_seconds() == 20
    clock.speed = 0
    real[0] += 50
    clock.advance(5)
    assert (clock.now() - NOON).total_seconds() == 25
    clock.speed = 1
    real[0] += 1
    assert isinstance(clock.now(), datetime)
    assert (clock.now() - NOON).total_seconds() == 26


def test_it_runs_as_a_process_that_prints_its_url() -> None:
    command = [sys.executable, "-m", "trainbell.simulators", "deepva", "--port", "0"]
    process = subprocess.Popen([*command, "--speed", "10"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/trainings/", headers=AUTH, trust_env=False).json()["total"] == 0
        port = url.rpartition(":")[2].partition("/")[0]
        taken = subprocess.run(
            [*command[:-1], port], capture_output=True, text=True, check=False, timeout=30
        )
        assert taken.returncode == 1
        assert taken.stderr == f"port {port} cannot be used: Address already in use\n"
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode is not None
