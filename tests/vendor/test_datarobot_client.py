"""DataRobot's own client (3.20.0) takes the simulator for DataRobot.

And Trainbell's provider reads what that client made.
"""

from __future__ import annotations

import json
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.builders import FakeClock, a_connection
from tests.open_secrets import OpenSecrets
from tests.vendor.environments import python_with_client_of
from trainbell.domain.job import State
from trainbell.providers.catalog import Catalog
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.service import API_KEY
from trainbell.simulators.server import running
from trainbell.simulators.service import Answer, Request

pytestmark = [pytest.mark.vendor, pytest.mark.timeout(600)]

SCRIPT = Path(__file__).with_name("datarobot_session.py")
BEGAN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Key(OpenSecrets):
    def read(self, reference: str) -> str:
        return API_KEY


@pytest.fixture(scope="module")
def vendor_python() -> Path:
    return python_with_client_of("datarobot")


def a_session(python: Path, url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    (folder / "custom.py").write_text("print(1)\n")
    (folder / "requirements.txt").write_text("numpy>=1,<3\n")
    command = [str(python), str(SCRIPT), url, API_KEY, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def simulator() -> DataRobotSimulator:
    return DataRobotSimulator(SimulatorClock(speed=0, start=BEGAN))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vendor")


@pytest.fixture(scope="module")
def seen(vendor_python: Path, simulator: DataRobotSimulator, place: Path) -> dict[str, Any]:
    """What the client saw at each step of its session."""
    with running(simulator) as url:
        done = a_session(vendor_python, url, place / "model")
    assert done.returncode == 0, done.stderr[-2000:]
    steps = json.loads(done.stdout)
    assert isinstance(steps, dict)
    return steps


def error(seen: dict[str, Any], step: str) -> tuple[str, int]:
    return seen[step]["error"], seen[step]["status"]


def test_R1_a_test_from_its_start_to_its_ends(seen: dict[str, Any]) -> None:
    assert seen["test"]["overall_status"] == "queued"
    assert seen["cancelled"]["overall_status"] == "canceled"
    assert seen["tested"]["overall_status"] == "succeeded"
    assert seen["failed"]["overall_status"] == "failed"
    assert seen["failed"]["detailed_status"]["error_check"]["message"] == "no rows"
    assert [test["id"] for test in seen["tests"]] == [
        seen[step]["id"] for step in ("failed", "tested", "test")
    ]
    assert error(seen, "test again") == ("ClientError", 422)


def test_R2_log_tail_and_cancel(seen: dict[str, Any]) -> None:
    assert len(json.loads(seen["tail"])["log"].splitlines()) > 1
    assert seen["log"][0] == "errorCheck: failed no rows"
    assert error(seen, "cancel again") == ("ClientError", 409)


def test_R3_dependency_builds(seen: dict[str, Any]) -> None:
    assert error(seen, "not built") == ("ClientError", 422)
    assert seen["build"]["build_status"] == "submitted"
    assert error(seen, "build gone") == ("ClientError", 422)
    assert seen["built"]["build_status"] == "success"
    assert error(seen, "cancel too late") == ("ClientError", 409)


def test_R4_conversions(seen: dict[str, Any]) -> None:
    assert seen["stop"] == {"status": 204}
    assert seen["stopped"]["should_stop"] is True
    assert seen["stopped"]["conversion_succeeded"] is False
    assert seen["stop again"] == {"error": "InvalidUsageError"}
    assert seen["latest"]["id"] == seen["converted"]
    assert seen["latest"]["conversion_succeeded"] is True
    assert error(seen, "no main program") == ("ClientError", 422)


def test_R5_feature_impact(seen: dict[str, Any]) -> None:
    assert error(seen, "impact without data") == ("ClientError", 422)
    assert error(seen, "impact again") == ("JobAlreadyRequested", 404)
    assert seen["impact again"]["body"]["jobId"]
    assert error(seen, "impact in progress") == ("ClientError", 422)
    assert seen["impacts"][0]["featureName"] == "tenure"


def test_R7_training_data(seen: dict[str, Any]) -> None:
    assert seen["assigned"] == "5f5f5f5f5f5f5f5f5f5f5f01"
    assert error(seen, "assign nothing") == ("ClientError", 404)


def test_R8_statuses(seen: dict[str, Any]) -> None:
    done = seen["status COMPLETED"]
    assert done["status"] == "COMPLETED"
    assert "/versions/" in done["completed_resource_url"]
    assert seen["status ERROR"]["status"] == seen["status ABORTED"]["status"] == "ERROR"


def test_R9_models(seen: dict[str, Any]) -> None:
    assert seen["create"]["target_type"] == "Binary"
    assert error(seen, "name too long") == ("ClientError", 422)
    assert seen["updated"] == "better"
    assert [model["id"] for model in seen["list"]] == [seen["create"]["id"]]
    assert seen["deployed"] == []
    assert error(seen, "unknown") == ("ClientError", 404)
    assert error(seen, "delete while tested") == ("ClientError", 409)
    assert error(seen, "copy gone") == ("ClientError", 404)


def test_R10_versions(seen: dict[str, Any], place: Path) -> None:
    assert {item["file_path"] for item in seen["version"]["items"]} == {
        "custom.py",
        "requirements.txt",
    }
    assert seen["version"]["dependencies"][0]["package_name"] == "numpy"
    assert [version["label"] for version in seen["versions"]] == ["1.1", "1.0"]
    with zipfile.ZipFile(place / "vendor.zip") as archive:
        assert sorted(archive.namelist()) == ["custom.py", "lib/custom.py"]
    assert len(seen["copied"]) == 2


def test_R12_access(seen: dict[str, Any]) -> None:
    assert {role["username"]: role["role"] for role in seen["roles"]} == {
        "ann@example.com": "EDITOR",
        "owner@example.com": "OWNER",
    }
    assert error(seen, "no owner") == ("ClientError", 409)
    assert error(seen, "no such user") == ("ClientError", 422)


def test_trainbell_reads_what_the_client_made(
    seen: dict[str, Any], simulator: DataRobotSimulator
) -> None:
    catalog = Catalog(Key(), FakeClock(BEGAN))
    with running(simulator) as url:
        connection = a_connection(name="dr", provider="datarobot", base_url=f"{url}/api/v2")
        provider = catalog.client(connection)
        polled = {
            step: provider.poll({"kind": "test", "id": seen[step]["id"]}).state
            for step in ("test", "tested", "failed")
        }
    catalog.close()
    assert polled == {
        "test": State.CANCELLED,
        "tested": State.SUCCEEDED,
        "failed": State.FAILED,
    }


class Impatient(DataRobotSimulator):
    """Breaks one rule on purpose: what was accepted has no Location to watch."""

    def handle(self, request: Request) -> Answer:
        answer = super().handle(request)
        return Answer(answer.status, answer.body) if answer.status == 202 else answer


class NullImage(DataRobotSimulator):
    """Breaks one rule on purpose: a test without the id of its image."""

    def handle(self, request: Request) -> Answer:
        answer = super().handle(request)
        if not request.path.startswith("/api/v2/customModelTests/"):
            return answer
        body = json.loads(answer.body or b"{}")
        for test in body.get("data", []):
            test["customModelImageId"] = None
        return Answer(answer.status, json.dumps(body).encode(), headers=answer.headers)


@pytest.mark.parametrize("broken", [Impatient, NullImage])
def test_the_client_notices_a_broken_rule(
    vendor_python: Path, tmp_path: Path, broken: type[DataRobotSimulator]
) -> None:
    with running(broken(SimulatorClock(speed=0, start=BEGAN))) as url:
        done = a_session(vendor_python, url, tmp_path / "model")
    assert done.returncode != 0
