"""The simulated Lookout for Vision, called as its API reference says: signed plain HTTP."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.builders import NOON
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.lookout_vision import LookoutVisionSimulator
from trainbell.simulators.lookout_vision.account import PROJECT
from trainbell.simulators.lookout_vision.service import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from trainbell.simulators.server import running

ROOT = "/2020-11-20/projects"
MODELS = f"{ROOT}/{PROJECT}/models"
BODY = {"OutputConfig": {"S3Location": {"Bucket": "lookout-results"}}}


class Signed(httpx.Auth):
    """Signs as a client would whose clock shows noon. `spoil` changes the signed request."""

    requires_request_body = True

    def __init__(self, spoil: Callable[[httpx.Request], object] | None = None) -> None:
        self.spoil = spoil

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        stamp = NOON.strftime("%Y%m%dT%H%M%SZ")
        request.headers["x-amz-date"] = stamp
        covered = {
            name: value
            for name, value in request.headers.items()
            if name in ("host", "content-type") or name.startswith("x-amz")
        }
        signed = AWSRequest(request.method, str(request.url), data=request.content, headers=covered)
        signed.context["timestamp"] = stamp
        keys = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)
        signer = SigV4Auth(keys, "lookoutvision", "us-east-1")
        text = signer.string_to_sign(signed, signer.canonical_request(signed))
        names = signer.signed_headers(signer.headers_to_sign(signed))
        request.headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={signer.scope(signed)}, SignedHeaders={names}, "
            f"Signature={signer.signature(text, signed)}"
        )
        if self.spoil is not None:
            self.spoil(request)
        yield request


def fresh_simulator() -> LookoutVisionSimulator:
    return LookoutVisionSimulator(SimulatorClock(speed=0, start=NOON), wall=lambda: NOON)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[LookoutVisionSimulator, str]]:
    simulator = fresh_simulator()
    with running(simulator) as url:
        yield simulator, url


@pytest.fixture
def simulator(served: tuple[LookoutVisionSimulator, str]) -> LookoutVisionSimulator:
    vars(served[0]).update(vars(fresh_simulator()))
    return served[0]


@pytest.fixture
def http(
    served: tuple[LookoutVisionSimulator, str], simulator: LookoutVisionSimulator
) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1], auth=Signed(), trust_env=False) as client:
        yield client


def start(http: httpx.Client, token: str | None = None, **changes: Any) -> httpx.Response:
    headers = {} if token is None else {"X-Amzn-Client-Token": token}
    return http.post(MODELS, json={**BODY, **changes}, headers=headers)


# ---------------------------------------------------------------- the wire


def test_L1_L5_a_model_has_the_documented_members_on_the_wire(
    http: httpx.Client, simulator: LookoutVisionSimulator
) -> None:
    started = start(http, Description="first")
    assert started.status_code == 202
    metadata = started.json()["ModelMetadata"]
    assert metadata == {
        "CreationTimestamp": NOON.timestamp(),
        "ModelVersion": "1",
        "ModelArn": f"arn:aws:lookoutvision:us-east-1:123456789012:model/{PROJECT}/1",
        "Status": "TRAINING",
        "StatusMessage": "The model is being trained.",
        "Description": "first",
    }
    simulator.clock.advance(20)
    described = http.get(f"{MODELS}/1").json()["ModelDescription"]
    assert described["Performance"] == {"F1Score": 0.96, "Recall": 0.98, "Precision": 0.94}
    assert described["EvaluationEndTimestamp"] == NOON.timestamp() + 20
    key = f"{PROJECT}-1/EvaluationManifest.json"
    assert described["EvaluationManifest"] == {"Bucket": "lookout-results", "Key": key}


def test_L6_an_error_names_its_type_in_a_header(http: httpx.Client) -> None:
    answer = http.get(f"{MODELS}/7")
    assert answer.status_code == 404
    assert answer.headers["x-amzn-errortype"] == "ResourceNotFoundException"
    assert answer.headers["x-amzn-requestid"]
    assert answer.json() == {
        "Message": "The model 7 could not be found.",
        "ResourceType": "MODEL",
        "ResourceId": "7",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/2020-11-20/trials", 404, "UnknownOperationException"),
        ("PUT", MODELS, 404, "UnknownOperationException"),
        ("GET", f"{MODELS}/0", 400, "ValidationException"),
        ("GET", f"{MODELS}/12345678901", 400, "ValidationException"),
        ("DELETE", f"{MODELS}/latest", 400, "ValidationException"),
        ("GET", f"{ROOT}/-x", 400, "ValidationException"),
        ("GET", f"{ROOT}/{'a' * 256}", 400, "ValidationException"),
        ("GET", f"{ROOT}/{'a' * 255}", 404, "ResourceNotFoundException"),
        ("GET", f"{ROOT}/{PROJECT}/datasets/val", 400, "ValidationException"),
        ("GET", f"{ROOT}/{PROJECT}/datasets/test", 404, "ResourceNotFoundException"),
        ("GET", "/2020-11-20/tags/arn%3Anobody", 404, "ResourceNotFoundException"),
    ],
)
def test_L6_other_calls_are_refused(
    http: httpx.Client, method: str, path: str, status: int, *, code: str
) -> None:
    answer = http.request(method, path)
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (status, code)


# ---------------------------------------------------------------- checks


def place(**changes: Any) -> dict[str, Any]:
    return {"OutputConfig": {"S3Location": {"Bucket": "lookout-results", **changes}}}


def tag(key: Any, value: Any = "v") -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value}]}


@pytest.mark.parametrize(
    "changes",
    [
        {"Description": "x" * 500},
        {"KmsKeyId": "k" * 2048},
        place(Bucket="abc"),
        place(Bucket="b" * 63),
        place(Prefix="p" * 1024),
        {"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(200)]},
        tag("ключ 1", "v" * 256),
        tag("k" * 128),
    ],
)
def test_L3_what_is_within_the_bounds_is_taken(http: httpx.Client, changes: dict[str, Any]) -> None:
    assert start(http, **changes).status_code == 202


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"Description": ""}, "description"),
        ({"Description": "x" * 501}, "description"),
        ({"Description": "two words"}, "description"),
        ({"KmsKeyId": "k" * 2049}, "kmsKeyId"),
        ({"KmsKeyId": "-k"}, "kmsKeyId"),
        ({"OutputConfig": None}, "outputConfig"),
        ({"OutputConfig": {}}, "outputConfig.s3Location"),
        (place(Bucket=None), "outputConfig.s3Location.bucket"),
        (place(Bucket="ab"), "outputConfig.s3Location.bucket"),
        (place(Bucket="b" * 64), "outputConfig.s3Location.bucket"),
        (place(Prefix="p" * 1025), "outputConfig.s3Location.prefix"),
        (place(Prefix="/p"), "outputConfig.s3Location.prefix"),
        ({"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(201)]}, "tags"),
        (tag("k" * 129), "tags.1.member.key"),
        (tag("k#"), "tags.1.member.key"),
        (tag("k", "v" * 257), "tags.1.member.value"),
        (tag("k", None), "tags.1.member.value"),
    ],
)
def test_L3_one_past_a_bound_is_a_validation_error_and_starts_nothing(
    http: httpx.Client, simulator: LookoutVisionSimulator, changes: dict[str, Any], *, path: str
) -> None:
    answer = start(http, **changes)
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "ValidationException")
    assert f"'{path}'" in answer.json()["Message"]
    assert not simulator.starts


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b'{"OutputConfig": []}', b'{"Tags": 3}'])
def test_L6_a_body_of_another_shape_is_refused(http: httpx.Client, body: bytes) -> None:
    answer = http.post(MODELS, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "SerializationException"


def test_L6_all_problems_are_told_at_once(http: httpx.Client) -> None:
    answer = start(http, Description="", KmsKeyId="", OutputConfig=None)
    assert answer.json()["Message"].startswith("4 validation errors detected: ")


# ---------------------------------------------------------------- tokens


@pytest.mark.parametrize("token", ["a", "A-9", "t" * 64])
def test_L2_a_token_gives_the_same_model_for_eight_hours(
    http: httpx.Client, simulator: LookoutVisionSimulator, token: str
) -> None:
    first = start(http, token).json()
    simulator.clock.advance(timedelta(hours=8).total_seconds() - 1)
    assert start(http, token).json() == first
    other = start(http, token, Description="other")
    assert (other.status_code, other.json()["ResourceId"]) == (409, token)
    assert simulator.starts == {token: 1}
    simulator.clock.advance(1)
    assert start(http, token, Description="other").json()["ModelMetadata"]["ModelVersion"] == "2"


@pytest.mark.parametrize("token", ["", "t" * 65, "a_b", "a b"])
def test_L2_another_token_is_refused(
    http: httpx.Client, simulator: LookoutVisionSimulator, token: str
) -> None:
    assert start(http, token).status_code == 400
    assert not simulator.starts


def test_L2_a_refused_start_does_not_use_up_its_token(
    http: httpx.Client, simulator: LookoutVisionSimulator
) -> None:
    simulator.apply_settings({"max_trainings": 0})
    assert start(http, "again").status_code == 402
    simulator.apply_settings({"max_trainings": 1})
    assert start(http, "again").status_code == 202


# ---------------------------------------------------------------- lists


def test_L8_pages_are_bounded_and_shift_for_nobody(http: httpx.Client) -> None:
    for _ in range(5):
        start(http)
    first = http.get(MODELS, params={"maxResults": 2}).json()
    start(http)
    second = http.get(MODELS, params={"maxResults": 2, "nextToken": first["NextToken"]}).json()
    versions = [[m["ModelVersion"] for m in page["Models"]] for page in (first, second)]
    assert versions == [["5", "4"], ["3", "2"]]
    for wrong in ({"maxResults": 0}, {"maxResults": 101}, {"maxResults": "x"}, {"nextToken": "#"}):
        assert http.get(MODELS, params=wrong).status_code == 400
    assert "NextToken" not in http.get(MODELS, params={"maxResults": 100}).json()


def test_L8_a_list_may_lag_behind(http: httpx.Client, simulator: LookoutVisionSimulator) -> None:
    simulator.apply_settings({"list_lag_seconds": 60})
    start(http)
    assert http.get(MODELS).json() == {"Models": []}
    assert http.get(f"{MODELS}/1").status_code == 200
    simulator.clock.advance(60)
    assert len(http.get(MODELS).json()["Models"]) == 1


# ---------------------------------------------------------------- signatures


def _header(name: str, value: str) -> Callable[[httpx.Request], object]:
    return lambda request: request.headers.update({name: value})


def _authorization(old: str, new: str) -> Callable[[httpx.Request], object]:
    def spoil(request: httpx.Request) -> None:
        request.headers["authorization"] = request.headers["authorization"].replace(old, new)

    return spoil


def _query(request: httpx.Request) -> None:
    request.url = request.url.copy_with(query=b"maxResults=2")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda request: request.headers.pop("authorization"), "MissingAuthenticationToken"),
        (_header("authorization", "Key abc"), "IncompleteSignature"),
        (_authorization(ACCESS_KEY_ID, "AKIANOBODY"), "UnrecognizedClient"),
        (_header("x-amz-security-token", "of another"), "UnrecognizedClient"),
        (_authorization("us-east-1", "eu-west-1"), "InvalidSignature"),
        (_authorization("/lookoutvision/", "/sagemaker/"), "InvalidSignature"),
        (_authorization("host;", ""), "InvalidSignature"),
        (_authorization("20260302/", "20260301/"), "InvalidSignature"),
        (_header("host", "other.example.com"), "InvalidSignature"),
        (_header("x-amzn-client-token", "not-covered"), "InvalidSignature"),
        (_header("x-amz-date", "20260302T120001Z"), "InvalidSignature"),
        (_header("x-amz-date", "noon"), "InvalidSignature"),
        (_query, "InvalidSignature"),
    ],
)
def test_L7_what_was_not_signed_is_not_taken(
    http: httpx.Client, spoil: Callable[[httpx.Request], object], code: str
) -> None:
    assert http.get(MODELS).status_code == 200
    answer = http.get(MODELS, auth=Signed(spoil))
    assert answer.status_code == (400 if code == "IncompleteSignature" else 403)
    assert answer.headers["x-amzn-errortype"] == f"{code}Exception"


def test_L7_a_body_that_was_changed_on_the_way_is_not_taken(
    http: httpx.Client, simulator: LookoutVisionSimulator
) -> None:
    def spoil(request: httpx.Request) -> None:
        request.stream = httpx.ByteStream(request.content.replace(b"lookout", b"hackers"))

    answer = http.post(MODELS, json=BODY, auth=Signed(spoil))
    assert answer.status_code == 403
    assert not simulator.starts


@pytest.mark.parametrize(
    ("skew", "message"),
    [(300, None), (301, "Signature expired"), (-300, None), (-301, "Signature not yet current")],
)
def test_L7_a_signature_is_good_for_five_minutes(
    http: httpx.Client, skew: float, message: str | None
) -> None:
    http.post("/_simulator/clock", json={"skew_seconds": skew})
    answer = http.get(MODELS)
    assert answer.status_code == (200 if message is None else 403)
    assert message is None or message in answer.json()["Message"]


def test_L7_a_clock_that_runs_fast_leaves_signatures_good(http: httpx.Client) -> None:
    http.post("/_simulator/clock", json={"advance": 1e6})
    assert http.get(MODELS).status_code == 200


# ---------------------------------------------------------------- settings


def test_L6_settings_make_quotas_denials_and_errors(http: httpx.Client) -> None:
    settings = {
        "denied": ["ListProjects"],
        "plans": [{"training_seconds": 0, "error": "too few images"}],
        "errors": [{"error": "ThrottlingException", "operation": "ListModels", "retry_after": "9"}],
    }
    assert http.post("/_simulator/settings", json=settings).status_code == 204
    assert http.get(ROOT).status_code == 403
    throttled = http.get(MODELS)
    assert (throttled.status_code, throttled.headers["retry-after"]) == (429, "9")
    failed = start(http, "x").json()["ModelMetadata"]
    assert (failed["Status"], failed["StatusMessage"]) == ("TRAINING_FAILED", "too few images")
    assert http.get("/_simulator/counters").json()["starts"] == {"x": 1}
    assert http.get("/_simulator/counters").json()["states"] == {"TRAINING_FAILED": 1}


@pytest.mark.parametrize(
    "settings", [{"colour": 1}, {"plan": {"epochs": 3}}, {"errors": [{"error": "NoSuchException"}]}]
)
def test_L6_settings_that_it_does_not_know_are_refused(
    http: httpx.Client, settings: dict[str, Any]
) -> None:
    assert http.post("/_simulator/settings", json=settings).status_code == 400
