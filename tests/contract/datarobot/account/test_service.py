"""What else the simulated DataRobot does as the documents say."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from tests.contract.datarobot.account.service import AUTH
from trainbell.simulators.__main__ import names
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.service import API_KEY
from trainbell.simulators.datarobot.work import Plan
from trainbell.simulators.datarobot.world import (
    DATASET,
    LIVE_DATASET,
    MODEL,
    REPOSITORY,
    VERSION,
)
from trainbell.simulators.service import Request


@pytest.mark.parametrize("scheme", ["Bearer", "Token"])
def test_both_schemes_are_taken(url: str, scheme: str) -> None:
    header = {"Authorization": f"{scheme} {API_KEY}"}
    assert httpx.get(f"{url}/version/", headers=header, trust_env=False).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer wrong", API_KEY, f"Key {API_KEY}"])
def test_any_other_key_is_401(http: httpx.Client, header: str) -> None:
    assert http.get("version/", headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "customModels", 404),
        ("GET", "elsewhere/", 404),
        ("PUT", "customModels/", 405),
        ("GET", "status/nope/", 404),
        ("GET", "customModelTests/", 422),
        ("GET", f"customModels/{MODEL}/versions/{VERSION}/dependencyBuild/", 422),
        ("GET", f"customModels/{MODEL}/versions/{VERSION}/dependencyBuildLog/", 422),
        ("GET", f"customModels/{MODEL}/versions/{VERSION}/featureImpact/", 404),
        ("DELETE", f"customModels/{MODEL}/versions/{VERSION}/dependencyBuild/", 422),
        ("GET", f"customModels/{MODEL}/versions/?mainBranchCommitSha=abc", 422),
    ],
)
def test_other_calls(http: httpx.Client, method: str, path: str, status: int) -> None:
    assert http.request(method, path).status_code == status


@pytest.mark.parametrize(("lines", "status"), [(0, 400), (1, 200), (1000, 200), (1001, 400)])
def test_R2_a_tail_has_1_to_1000_lines(http: httpx.Client, lines: int, status: int) -> None:
    body = {"customModelId": MODEL, "customModelVersionId": VERSION, "datasetId": DATASET}
    http.post("customModelTests/", json=body)
    test = http.get(f"customModelTests/?customModelId={MODEL}").json()["data"][0]
    answer = http.get(f"customModelTests/{test['id']}/tail/?lines={lines}")
    assert answer.status_code == status
    assert http.get(f"customModelTests/{test['id']}/log/").status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"customModelId": None}, 422),
        ({"customModelId": "nope"}, 404),
        ({"datasetId": LIVE_DATASET}, 422),
        ({"replicas": 9}, 422),
        ({"maximumMemory": 1}, 422),
        ({"configuration": {"longRunningService": "skip"}}, 422),
        ({"configuration": {"speed": "fail"}}, 422),
        ({"resourceBundleId": "b", "maximumMemory": 134_217_728}, 422),
    ],
)
def test_R1_wrong_tests_start_nothing(
    http: httpx.Client, simulator: DataRobotSimulator, change: dict[str, Any], status: int
) -> None:
    body = {"customModelId": MODEL, "customModelVersionId": VERSION, "datasetId": DATASET}
    assert http.post("customModelTests/", json={**body, **change}).status_code == status
    assert not simulator.starts


def test_R8_statuses_go_through_their_words_to_a_303(
    http: httpx.Client, simulator: DataRobotSimulator
) -> None:
    simulator.world.plan = Plan(queued_seconds=5, running_seconds=10)
    answer = http.post(
        f"customModels/{MODEL}/versions/fromRepository/", json={"repositoryId": REPOSITORY}
    )
    assert (answer.status_code, answer.content) == (202, b"")
    status = answer.headers["location"]
    words = []
    for seconds in (0, 5):
        simulator.clock.advance(seconds)
        words.append(http.get(status).json()["status"])
    simulator.clock.advance(10)
    done = http.get(status)
    assert words == ["INITIALIZED", "RUNNING"]
    assert done.status_code == 303
    assert http.get(done.headers["location"]).json()["label"] == "1.1"
    listed = http.get("status/?limit=0").json()
    assert [each["status"] for each in listed["data"]] == ["COMPLETED"]
    assert http.delete(status).status_code == 204
    assert http.get(status).status_code == 404


@pytest.mark.parametrize("end", ["ERROR", "ABORTED", "EXPIRED"])
def test_R8_other_ends_are_200(http: httpx.Client, simulator: DataRobotSimulator, end: Any) -> None:
    simulator.world.plan = Plan(ends=end)
    path = f"customModels/{MODEL}/versions/{VERSION}/predictionExplanationsInitialization/"
    status = http.post(path).headers["location"]
    simulator.clock.advance(60)
    assert http.get(status).json()["status"] == end


def test_R5_a_second_feature_impact_is_a_404_with_its_job(http: httpx.Client) -> None:
    path = f"customModels/{MODEL}/versions/{VERSION}/featureImpact/"
    first = http.post(path, json={"rowCount": 10})
    second = http.post(path, json={"rowCount": 20})
    assert (first.status_code, second.status_code) == (202, 404)
    assert second.json()["jobId"] == first.json()["statusId"]
    assert http.get(path).status_code == 422
    for rows in (9, 100_001):
        assert http.post(path, json={"rowCount": rows}).status_code == 422


def test_settings_and_counters(http: httpx.Client, url: str) -> None:
    control = url.removesuffix("/api/v2") + "/_simulator"
    settings = {"plans": [{"error": "boom"}], "deployed": [MODEL]}
    assert httpx.post(f"{control}/settings", json=settings, trust_env=False).status_code == 204
    assert http.delete(f"customModels/{MODEL}/").status_code == 409
    http.post(f"customModels/{MODEL}/versions/{VERSION}/dependencyBuild/")
    counters = httpx.get(f"{control}/counters", trust_env=False).json()
    assert counters["starts"] == {f"build_dependencies:{VERSION}": 1}
    assert counters["states"] == {"INITIALIZED": 1}
    assert httpx.post(f"{control}/settings", json={"colour": 1}, trust_env=False).status_code == 400


def test_it_answers_a_thousand_polls_a_second(simulator: DataRobotSimulator) -> None:
    """Its own part of a poll: what the socket costs is the core's, and the same for all."""
    headers = {"authorization": AUTH["Authorization"], "host": "127.0.0.1"}
    body = {"customModelId": MODEL, "customModelVersionId": VERSION, "datasetId": DATASET}
    start = Request("POST", "/api/v2/customModelTests/", {}, headers, json.dumps(body).encode())
    assert simulator.handle(start).status == 202
    poll = Request(
        "GET", f"/api/v2/customModelTests/{next(iter(simulator.world.tests))}/", {}, headers, b""
    )
    began = time.process_time()
    for _ in range(1000):
        assert simulator.handle(poll).status == 200
    assert time.process_time() - began < 0.5


def test_it_is_found_by_name() -> None:
    assert "datarobot" in names()
