"""Amazon's own client (boto3 and botocore 1.40.60) takes the simulator for Lookout for Vision."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.vendor.environments import python_with_client_of
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.lookout_vision import LookoutVisionSimulator
from trainbell.simulators.lookout_vision.service import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from trainbell.simulators.server import running

pytestmark = [pytest.mark.vendor, pytest.mark.timeout(600)]

SCRIPT = Path(__file__).with_name("lookout_vision_session.py")
BEGAN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ARN = "arn:aws:lookoutvision:us-east-1:123456789012:model/bottles/1"


@pytest.fixture(scope="module")
def vendor_python() -> Path:
    return python_with_client_of("lookout_vision")


@pytest.fixture(scope="module")
def simulator() -> LookoutVisionSimulator:
    return LookoutVisionSimulator(SimulatorClock(speed=0, start=BEGAN))


@pytest.fixture(scope="module")
def seen(vendor_python: Path, simulator: LookoutVisionSimulator) -> dict[str, Any]:
    """What the client saw at each step of its session."""
    with running(simulator) as url:
        command = [str(vendor_python), str(SCRIPT), url, ACCESS_KEY_ID, SECRET_ACCESS_KEY]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    steps = json.loads(done.stdout)
    assert isinstance(steps, dict)
    return steps


def refused(code: str, status: int, kind: str | None = None, name: str | None = None) -> Any:
    """An error that the client knows by its own class, with the members of its shape."""
    named = {} if kind is None else {"ResourceType": kind, "ResourceId": name}
    return {"error": code, "code": code, "status": status, **named}


CONFLICT = ("ConflictException", 409)
MISSING = ("ResourceNotFoundException", 404)
PERFORMANCE = {"F1Score": 0.96, "Recall": 0.98, "Precision": 0.94}

EXPECTED: dict[str, Any] = {
    "project": {"status": 200, "ProjectMetadata": {"ProjectName": "bottles"}},
    "project again": refused(*CONFLICT, "PROJECT", "bottles"),
    "no dataset": refused(*MISSING, "DATASET", "train"),
    "dataset": {"status": 202, "DatasetMetadata": {"Status": "CREATE_IN_PROGRESS"}},
    "dataset in the making": refused(*CONFLICT, "DATASET", "train"),
    "dataset made": {"DatasetDescription": {"Status": "CREATE_COMPLETE", "DatasetType": "train"}},
    "start": {
        "status": 202,
        "ModelMetadata": {
            "ModelVersion": "1",
            "ModelArn": ARN,
            "Description": "first-run",
            "Status": "TRAINING",
            "CreationTimestamp": "2026-03-02T12:00:01+00:00",
        },
    },
    "start again": {"status": 202, "ModelMetadata": {"ModelVersion": "1"}},
    "token misused": refused(*CONFLICT),
    "own token": {"ModelMetadata": {"ModelVersion": "2"}},
    "another own token": {"ModelMetadata": {"ModelVersion": "3"}},
    "bad description": refused("ValidationException", 400),
    "no project": refused(*MISSING, "PROJECT", "nope"),
    "training": {"ModelDescription": {"Status": "TRAINING", "KmsKeyId": "alias/lookout"}},
    "delete while training": refused(*CONFLICT, "MODEL", "1"),
    "trained": {
        "ModelDescription": {
            "Status": "TRAINED",
            "Performance": PERFORMANCE,
            "EvaluationEndTimestamp": "2026-03-02T12:00:21+00:00",
            "EvaluationResult": {
                "Bucket": "lookout-results",
                "Key": "circuits/bottles-1/EvaluationResult.json",
            },
        }
    },
    "latest": {"ModelDescription": {"ModelVersion": "3"}},
    "bad page": refused("ValidationException", 400),
    "tagged": {"status": 200},
    "untagged": {"status": 200},
    "hosting": {"status": 202, "Status": "STARTING_HOSTING"},
    "hosted": {"ModelDescription": {"Status": "HOSTED", "MinInferenceUnits": 1}},
    "detected": {"DetectAnomalyResult": {"Source": {"Type": "direct"}, "IsAnomalous": False}},
    "delete while hosted": refused(*CONFLICT, "MODEL", "1"),
    "stopping": {"status": 202, "Status": "STOPPING_HOSTING"},
    "stopped": {"ModelDescription": {"Status": "TRAINED", "Performance": PERFORMANCE}},
    "project in use": refused(*CONFLICT, "PROJECT", "bottles"),
    "delete 1": {"status": 202, "ModelArn": ARN},
    "deleting": {"ModelDescription": {"Status": "DELETING"}},
    "deleted": refused(*MISSING, "MODEL", "3"),
    "delete dataset": {"status": 202},
    "delete project": {"status": 200},
    "project gone": refused(*MISSING, "PROJECT", "bottles"),
    "AccessDeniedException": refused("AccessDeniedException", 403),
    "ConflictException": refused(*CONFLICT, "MODEL", "x"),
    "InternalServerException": refused("InternalServerException", 500) | {"RetryAfterSeconds": 7},
    "ResourceNotFoundException": refused(*MISSING, "MODEL", "x"),
    "ServiceQuotaExceededException": refused("ServiceQuotaExceededException", 402)
    | {"QuotaCode": "L-TRAININGS", "ServiceCode": "lookoutvision"},
    "ThrottlingException": refused("ThrottlingException", 429) | {"RetryAfterSeconds": 7},
    "ValidationException": refused("ValidationException", 400),
    "wrong secret": {"code": "InvalidSignatureException", "status": 403},
    "wrong region": {"code": "InvalidSignatureException", "status": 403},
    "unknown key": {"code": "UnrecognizedClientException", "status": 403},
}


@pytest.mark.parametrize("step", EXPECTED)
def test_L6_L7_L8_each_step_reads_as_documented(seen: dict[str, Any], step: str) -> None:
    assert _only(seen[step], EXPECTED[step]) == EXPECTED[step]


def test_L8_its_paginator_reads_every_page(seen: dict[str, Any]) -> None:
    assert seen["pages"] == [["3"], ["2"], ["1"]]


def test_L3_its_tags_are_kept(seen: dict[str, Any]) -> None:
    assert seen["tags"]["Tags"] == [{"Key": "team", "Value": "quality"}]
    assert seen["tags left"]["Tags"] == [{"Key": "größe", "Value": "1"}]


def test_L2_one_token_started_one_training_and_its_own_tokens_one_each(
    seen: dict[str, Any], simulator: LookoutVisionSimulator
) -> None:
    assert seen
    assert simulator.starts["token-1"] == 1
    assert sorted(simulator.starts.values()) == [1, 1, 1]


def _only(seen: Any, wanted: Any) -> Any:
    """Of what was seen, the members that are wanted."""
    if not isinstance(wanted, dict) or not isinstance(seen, dict):
        return seen
    return {name: _only(seen.get(name), part) for name, part in wanted.items()}
