"""The simulated Einstein, called as its documentation's samples call it: plain HTTP, no client."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.builders import NOON
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.einstein import EinsteinSimulator
from trainbell.simulators.einstein.account_key import ACCOUNT, PRIVATE_KEY
from trainbell.simulators.einstein.trainings import (
    DETECTION_DATASET,
    IMAGE_DATASET,
    INTENT_DATASET,
    Plan,
)
from trainbell.simulators.server import running

Fields = dict[str, Any]
TRAIN: Fields = {"name": "My Model [trainbell:01job]", "datasetId": str(IMAGE_DATASET)}
STARTED = [
    "createdAt",
    "datasetId",
    "datasetVersionId",
    "epochs",
    "language",
    "learningRate",
    "modelId",
    "modelType",
    "name",
    "object",
    "progress",
    "queuePosition",
    "status",
    "trainParams",
    "trainStats",
    "updatedAt",
]


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    loaded = serialization.load_pem_private_key(PRIVATE_KEY.encode(), password=None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    return loaded


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[EinsteinSimulator, str]]:
    simulator = EinsteinSimulator(SimulatorClock(speed=0, start=NOON))
    with running(simulator) as url:
        yield simulator, url


@pytest.fixture
def simulator(served: tuple[EinsteinSimulator, str]) -> EinsteinSimulator:
    vars(served[0]).update(vars(EinsteinSimulator(SimulatorClock(speed=0, start=NOON))))
    return served[0]


@pytest.fixture
def http(
    served: tuple[EinsteinSimulator, str], simulator: EinsteinSimulator, key: rsa.RSAPrivateKey
) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1], trust_env=False) as client:
        token = granted(client, assertion(key, client)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def assertion(
    key: rsa.RSAPrivateKey, http: httpx.Client, *, alg: str = "RS256", **changes: Any
) -> str:
    claims = {
        "sub": ACCOUNT,
        "aud": f"{str(http.base_url).rstrip('/')}/v2/oauth2/token",
        "exp": NOON.timestamp() + 600,
        **changes,
    }
    head, body = (part(json.dumps(v).encode()) for v in ({"alg": alg, "typ": "JWT"}, claims))
    signed = f"{head}.{body}"
    return f"{signed}.{part(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def granted(http: httpx.Client, jwt: str, **fields: str) -> httpx.Response:
    grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    form = {"grant_type": grant_type, "assertion": jwt, **fields}
    return http.post("/v2/oauth2/token", data=form)


def start(http: httpx.Client, path: str = "/v2/vision/train", **fields: str) -> httpx.Response:
    return http.post(path, files={name: (None, value) for name, value in fields.items()})


# ---------------------------------------------------------------- tokens


def test_E8_a_token_lives_for_a_minute_or_as_long_as_asked_for(
    http: httpx.Client, simulator: EinsteinSimulator, key: rsa.RSAPrivateKey
) -> None:
    long = granted(http, assertion(key, http), valid_for="120").json()
    assert (long["token_type"], long["expires_in"]) == ("Bearer", "120")
    simulator.clock.advance(59)
    assert http.get("/v2/apiusage").status_code == 200
    simulator.clock.advance(1)
    expired = http.get("/v2/apiusage")
    assert (expired.status_code, expired.json()) == (401, {"message": "Invalid access token"})
    headers = {"Authorization": f"Bearer {long['access_token']}"}
    assert http.get("/v2/apiusage", headers=headers).status_code == 200
    simulator.clock.advance(60)
    assert http.get("/v2/apiusage", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sub": "somebody@example.com"}, "no such account"),
        ({"aud": "https://elsewhere.example/v2/oauth2/token"}, "aud is not"),
        ({"exp": NOON.timestamp()}, "it has expired"),
        ({"exp": "soon"}, "exp is missing"),
        ({"alg": "none"}, "must be RS256"),
    ],
)
def test_E8_an_assertion_is_verified_for_real(
    http: httpx.Client, key: rsa.RSAPrivateKey, changes: Fields, message: str
) -> None:
    refused = granted(http, assertion(key, http, **changes))
    assert refused.status_code == 400
    assert message in refused.json()["message"]


def test_E8_the_public_audience_is_taken_too(http: httpx.Client, key: rsa.RSAPrivateKey) -> None:
    public = assertion(key, http, aud="https://api.einstein.ai/v2/oauth2/token")
    assert granted(http, public).status_code == 200


def test_E8_a_signature_of_another_key_or_over_other_claims_is_refused(
    http: httpx.Client, key: rsa.RSAPrivateKey
) -> None:
    good = assertion(key, http)
    other = assertion(key, http, exp=NOON.timestamp() + 9999)
    head, body, _ = other.split(".")
    swapped = f"{head}.{body}.{good.split('.')[2]}"
    stranger = assertion(rsa.generate_private_key(65537, 2048), http)
    for jwt in (swapped, stranger, "x.y.z", "", good + "!"):
        assert granted(http, jwt).status_code == 400


def test_E8_refresh_and_revoke(http: httpx.Client, key: rsa.RSAPrivateKey) -> None:
    first = granted(http, assertion(key, http), scope="offline").json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    again = http.post("/v2/oauth2/token", data=form).json()
    headers = {"Authorization": f"Bearer {again['access_token']}"}
    assert http.get("/v2/apiusage", headers=headers).status_code == 200
    path = f"/v2/oauth2/tokens/{again['access_token']}"
    assert [http.delete(path).status_code for _ in range(2)] == [204, 404]
    assert http.get("/v2/apiusage", headers=headers).status_code == 401
    assert granted(http, assertion(key, http), valid_for="2592001").status_code == 400
    assert http.post("/v2/oauth2/token", data={"grant_type": "password"}).status_code == 400
    basic = http.get("/v2/apiusage", headers={"Authorization": "Basic eDp5"})
    assert (basic.status_code, basic.json()["message"]) == (401, "Invalid authentication scheme")


# ---------------------------------------------------------------- trainings


def test_E5_a_training_has_the_documented_fields_and_goes_through_its_states(
    http: httpx.Client, simulator: EinsteinSimulator
) -> None:
    simulator.account.plan = Plan(queued_seconds=5, running_seconds=10)
    started = start(http, **TRAIN, trainParams='{"trainSplitRatio": 0.7}')
    assert started.status_code == 200
    training = started.json()
    assert list(training) == STARTED
    assert training["createdAt"] == "2026-03-02T12:00:00.000+0000"
    assert training["trainParams"] == {"trainSplitRatio": 0.7}
    assert simulator.starts == {"trainbell:01job": 1}
    path = f"/v2/vision/train/{training['modelId']}"
    seen = []
    for seconds in (0, 5, 5, 5):
        simulator.clock.advance(seconds)
        training = http.get(path).json()
        seen.append((training["status"], training["progress"], training["lastEpochDone"]))
    assert seen == [
        ("QUEUED", 0.0, 0),
        ("RUNNING", 0.0, 0),
        ("RUNNING", 0.5, 10),
        ("SUCCEEDED", 1, 20),
    ]
    assert "queuePosition" not in training
    assert training["updatedAt"] == "2026-03-02T12:00:15.000+0000"
    assert training["trainStats"]["trainingTime"] == "00:00:09:600"
    assert training["trainStats"]["trainSplitSize"] == 105


def test_E1_a_retraining_keeps_the_id_and_can_be_read_late(
    http: httpx.Client, simulator: EinsteinSimulator
) -> None:
    model = simulator.account.add_model(INTENT_DATASET, "Old")
    simulator.account.stale_seconds = 3
    answer = start(http, "/v2/language/retrain", modelId=model.id, epochs="7")
    assert answer.json()["modelId"] == model.id
    assert (answer.json()["status"], answer.json()["epochs"]) == ("QUEUED", 7)
    path = f"/v2/language/train/{model.id}"
    assert http.get(path).json()["status"] == "SUCCEEDED"
    simulator.clock.advance(3)
    assert http.get(path).json()["status"] == "RUNNING"
    assert simulator.starts == {f"retrain:{model.id}": 1}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 181}, "180"),
        ({"datasetId": "999"}, "does not exist"),
        ({"datasetId": str(INTENT_DATASET)}, "does not exist"),
        ({"datasetId": "first"}, "does not exist"),
        ({"epochs": "0"}, "between 1 and 1000"),
        ({"epochs": "1001"}, "between 1 and 1000"),
        ({"learningRate": "0.00009"}, "between 0.0001 and 0.01"),
        ({"learningRate": "0.0101"}, "between 0.0001 and 0.01"),
        ({"learningRate": "fast"}, "between 0.0001 and 0.01"),
        ({"algorithm": "object-detection"}, "not for image"),
        ({"trainParams": "ratio"}, "must be JSON"),
        ({"trainParams": '{"trainSplitRatio": 1.0}'}, "not valid"),
        ({"trainParams": '{"withGlobalDatasetId": 57}'}, "not valid"),
        ({"trainParams": '{"unheardOf": 1}'}, "not valid"),
    ],
)
def test_E2_what_it_refuses_is_400_and_starts_nothing(
    http: httpx.Client, simulator: EinsteinSimulator, fields: Fields, message: str
) -> None:
    refused = start(http, **{**TRAIN, **fields})
    assert refused.status_code == 400
    assert message in refused.json()["message"]
    assert not simulator.starts


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x" * 180, "epochs": "1", "learningRate": "0.0001"},
        {"epochs": "1000", "learningRate": "0.01"},
        {"datasetId": str(DETECTION_DATASET), "algorithm": "retail-execution", "learningRate": "9"},
        {"trainParams": '{"withGlobalDatasetId": 1000, "withFeedback": false}'},
        {"datasetId": str(DETECTION_DATASET), "algorithm": "object-detection-v2"},
    ],
)
def test_E2_what_lies_on_the_edge_is_taken(http: httpx.Client, fields: Fields) -> None:
    """A detection training does not use a learning rate, and so does not look at it."""
    assert start(http, **{**TRAIN, **fields}).status_code == 200


def test_E4_a_dataset_takes_one_training_at_a_time(
    http: httpx.Client, simulator: EinsteinSimulator
) -> None:
    old = simulator.account.add_model(IMAGE_DATASET, "Old")
    assert start(http, **TRAIN).status_code == 200
    for path, fields in (("train", TRAIN), ("retrain", {"modelId": old.id})):
        refused = start(http, f"/v2/vision/{path}", **fields)
        assert refused.status_code == 400
        assert "is being trained" in refused.json()["message"]
    simulator.clock.advance(22)
    assert start(http, "/v2/vision/retrain", modelId=old.id).status_code == 200


def test_E7_deletions_go_through_pending_and_refuse_starts(
    http: httpx.Client, simulator: EinsteinSimulator
) -> None:
    model = simulator.account.add_model(IMAGE_DATASET, "Old")
    gone = http.delete(f"/v2/vision/models/{model.id}")
    assert gone.status_code == 201
    assert (gone.json()["type"], gone.json()["deletedObjectId"]) == ("MODEL", model.id)
    assert start(http, "/v2/vision/retrain", modelId=model.id).status_code == 400
    assert http.delete(f"/v2/vision/models/{model.id}").status_code == 404
    pending = http.delete(f"/v2/vision/datasets/{IMAGE_DATASET}")
    assert pending.status_code == 200
    dataset = http.get(f"/v2/vision/datasets/{IMAGE_DATASET}").json()
    assert (dataset["statusMsg"], dataset["available"]) == ("DELETE_PENDING", False)
    assert "DELETE_PENDING" in start(http, **TRAIN).json()["message"]
    status = f"/v2/vision/deletion/{pending.json()['id']}"
    assert http.get(status).json()["status"] == "QUEUED"
    simulator.clock.advance(5)
    assert http.get(status).json()["status"] == "SUCCEEDED"
    assert http.get(f"/v2/vision/datasets/{IMAGE_DATASET}").status_code == 404
    assert start(http, **TRAIN).status_code == 400


def test_E6_metrics_and_curve_come_in_pages_and_only_after_success(
    http: httpx.Client, simulator: EinsteinSimulator
) -> None:
    simulator.account.plan = Plan(queued_seconds=0, running_seconds=30)
    model_id = start(http, **TRAIN, epochs="60").json()["modelId"]
    path = f"/v2/vision/models/{model_id}"
    assert http.get(path).status_code == 400
    simulator.clock.advance(5)
    assert len(http.get(f"{path}/lc").json()["data"]) == 10
    simulator.clock.advance(24.5)
    assert len(http.get(f"{path}/lc").json()["data"]) == 25
    rest = http.get(f"{path}/lc", params={"offset": 50, "count": 100}).json()["data"]
    assert [point["epoch"] for point in rest] == list(range(51, 60))
    assert rest[0]["object"] == "learningcurve"
    simulator.clock.advance(0.5)
    metrics = http.get(path).json()
    assert (metrics["id"], metrics["object"]) == (model_id, "metrics")
    assert metrics["metricsData"]["labels"] == ["Beaches", "Mountains"]


def test_E9_only_multipart_starts_are_taken(http: httpx.Client) -> None:
    for sent in ({"data": TRAIN}, {"json": TRAIN}, {"content": b""}):
        refused = http.post("/v2/vision/train", **sent)
        assert refused.status_code == 400
        assert "multipart/form-data" in refused.json()["message"]
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert http.post("/v2/vision/train", content=b"--x\r\n", headers=broken).status_code == 400


def test_lists_come_in_pages(http: httpx.Client, simulator: EinsteinSimulator) -> None:
    for number in range(30):
        simulator.account.add_model(IMAGE_DATASET, f"m{number}")
        simulator.account.add_dataset(5000 + number, f"d{number}", "image", "a", "b")
    path = f"/v2/vision/datasets/{IMAGE_DATASET}/models"
    page = http.get(path, params={"offset": 28, "count": 5}).json()
    assert [model["name"] for model in page["data"]] == ["m1", "m0"]
    datasets = http.get("/v2/vision/datasets", params={"count": 99}).json()["data"]
    assert len(datasets) == 25
    assert [d["id"] for d in datasets] == sorted(d["id"] for d in datasets)
    shared = http.get("/v2/vision/datasets", params={"global": "true"}).json()["data"]
    assert [d["id"] for d in shared] == [1000]
    assert http.get(path, params={"offset": "x"}).status_code == 400


@pytest.mark.parametrize("path", ["/v2/vision/train", "/v2/vision", "/v2/speech/train/x", "/v1/x"])
def test_what_is_not_there_is_404(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404


def test_E8_clock_skew_moves_what_it_says_and_not_what_it_does(
    http: httpx.Client, simulator: EinsteinSimulator, key: rsa.RSAPrivateKey
) -> None:
    http.post("/_simulator/clock", json={"skew_seconds": 3600})
    answer = start(http, **TRAIN)
    assert answer.json()["createdAt"] == "2026-03-02T13:00:00.000+0000"
    assert answer.headers["date"] == "Mon, 02 Mar 2026 13:00:00 GMT"
    assert granted(http, assertion(key, http)).status_code == 200


def test_settings_and_counters(http: httpx.Client) -> None:
    plans = [{"queued_seconds": 0, "running_seconds": 0, "failure": "bad"}]
    wish = {"plans": plans, "plan": {"status": "KILLED"}, "stale_seconds": 1, "as_text": True}
    assert http.post("/_simulator/settings", json=wish).status_code == 204
    failed = start(http, **TRAIN).json()
    assert (failed["status"], failed["failureMsg"]) == ("FAILED", "bad")
    assert isinstance(failed["trainStats"], str)
    assert start(http, **TRAIN).json()["status"] == "KILLED"
    counters = http.get("/_simulator/counters").json()
    assert counters["starts"] == {"trainbell:01job": 2}
    assert (counters["states"], counters["tokens"]) == ({"FAILED": 1, "KILLED": 1}, 1)
    assert http.post("/_simulator/settings", json={"revoke_tokens": True}).status_code == 204
    assert http.get("/v2/apiusage").status_code == 401
    assert http.post("/_simulator/settings", json={"colour": 3}).status_code == 400


def test_E8_a_simulator_that_is_sped_up_takes_callers_who_are_not(key: rsa.RSAPrivateKey) -> None:
    """An hour passes there while the caller signs with the real time."""
    simulator = EinsteinSimulator(SimulatorClock(speed=100))
    simulator.clock.advance(3600)
    with running(simulator) as url, httpx.Client(base_url=url, trust_env=False) as client:
        answer = granted(client, assertion(key, client, exp=time.time() + 60))
        assert answer.status_code == 200
        simulator.clock.advance(100 * 59)
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        assert client.get("/v2/apiusage").status_code == 200
