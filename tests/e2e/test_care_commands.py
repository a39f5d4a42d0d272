"""`trainbell export | import | retention | forget-person` as a person types them."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.up_process import TRAINBELL, UpProcess

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[UpProcess]:
    with UpProcess(tmp_path) as running:
        yield running


def trainbell(
    up: UpProcess, *words: str, status: int = 0, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [TRAINBELL, *words], env=up.environment, input=given, capture_output=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done


def a_job(up: UpProcess) -> str:
    with up.client() as client:
        parameters = {"command": ["sleep", "300"]}
        return str(client.start({"provider": "local", "parameters": parameters})["id"])


def test_export_and_import(up: UpProcess, tmp_path: Path) -> None:
    job = a_job(up)
    file = tmp_path / "all.jsonl"
    trainbell(up, "export", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"is there already" in trainbell(up, "export", str(file), status=2).stderr
    again = trainbell(up, "import", str(file))
    assert b"0 records stored" in again.stderr
    streamed = trainbell(up, "export", "-").stdout
    assert b"0 records stored" in trainbell(up, "import", "-", given=streamed).stderr
    assert b"cut off" in trainbell(up, "import", "-", given=streamed[:-5], status=2).stderr
    head, rest = streamed.split(b"\n", 1)
    newer = json.loads(head)
    newer["trainbell_export"]["format"] = 2
    changed = json.dumps(newer).encode() + b"\n" + rest
    assert b"not as it was written" in trainbell(up, "import", "-", given=changed, status=2).stderr
    trainbell(up, "export", "--take-back", str(file), status=2)
    trainbell(up, "cancel", job)


def test_what_has_moved_can_be_taken_back(up: UpProcess, tmp_path: Path) -> None:
    job = a_job(up)
    trainbell(up, "export", "--move", str(tmp_path / "all.jsonl"))
    body = ["start", "--provider", "local", "--param", 'command=["true"]']
    assert b"have moved to another one" in trainbell(up, *body, status=8).stderr
    assert b"has moved to another" in trainbell(up, "cancel", job, status=8).stderr
    assert b"has moved to another" in trainbell(up, "wait", job, status=7).stderr
    assert b"moved" in trainbell(up, "status").stdout
    assert b"watched here again: 1" in trainbell(up, "export", "--take-back").stderr
    assert b"moved" not in trainbell(up, "status").stdout
    trainbell(up, "cancel", job)
    trainbell(up, *body)


def test_retention_and_forgetting(up: UpProcess) -> None:
    job = a_job(up)
    trainbell(up, "cancel", job)
    trainbell(up, "retention", "put", "default", "--days", "30")
    assert b"30" in trainbell(up, "retention", "list").stdout
    trainbell(up, "retention", "delete", "default")
    trainbell(up, "retention", "show", "default", status=8)
    said = json.loads(trainbell(up, "forget-person", "owner", "--json").stdout)
    assert said["changed"] == 1
    shown = trainbell(up, "show", job, "--json").stdout
    assert said["pseudonym"].encode() in shown
    trainbell(up, "forget-person", " ", status=2)
