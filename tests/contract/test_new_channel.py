"""`trainbell new-channel`: what it makes passes its tests, and is found wherever channels are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.up_process import TRAINBELL, UpProcess
from tests.new_project import ROOT, check_is_clean, install, made, run
from trainbell.cli.app import exit_status
from trainbell.cli.exit_codes import ExitCode
from trainbell.cli.new_plugin import MAX_NAME
from trainbell.client import ApiProblem

MYPY_CACHE = ROOT / ".mypy_cache" / "new-channel"
CHANNELS = ROOT / "shared" / "trainbell" / "channels"


def test_what_is_made_passes_the_suite(tmp_path: Path) -> None:
    said = run(made("channel", tmp_path), "pytest", "-rA")
    assert said.returncode == 0, said.stdout[-4000:]
    assert "PASSED" in said.stdout
    assert "test_throttling_carries_the_receivers_wish" in said.stdout


@pytest.mark.parametrize("name", ["toy", "a" * (MAX_NAME - 3) + "_bc"])
def test_what_is_made_is_clean(tmp_path: Path, name: str) -> None:
    check_is_clean(made("channel", tmp_path, name), MYPY_CACHE)


@pytest.mark.parametrize(
    ("where", "right", "wrong", "failing"),
    [
        ("__init__.py", "Toy, by a webhook", "", "test_its_spec_is_complete"),
        ("channel.py", "url = webhook_url(", "sleep = webhook_url(", "test_it_never_sleeps"),
        ("channel.py", "raise error", "pass", "test_what_asks_for_a_person_is_rejected"),
        ("message.py", "[:TEXT_AT_MOST]", "", "test_the_largest_job_is_told_within_bounds"),
        ("message.py", "one_line(summary_of(notice))", '"news"', "test_it_tells_what_happened"),
        ("channel.py", "self._webhook.close()", "raise OSError", "test_it_may_be_closed_twice"),
    ],
)
def test_the_suite_fails_on_a_planted_fault(
    tmp_path: Path, where: str, right: str, wrong: str, failing: str
) -> None:
    project = made("channel", tmp_path)
    path = project / "trainbell_toy" / where
    text = path.read_text()
    assert text.count(right) == 1
    path.write_text(text.replace(right, wrong))
    said = run(project, "pytest", "tests/test_conformance.py", "-rfE")
    assert said.returncode == 1
    assert failing in said.stdout


def test_installed_it_is_seen_by_the_api_and_the_command_line(tmp_path: Path) -> None:
    project = made("channel", tmp_path)
    install(project)
    with UpProcess(tmp_path, {"PYTHONPATH": str(project)}) as up:
        client = up.client()
        kinds = {each["name"]: each for each in client.all_of("/v1/channel-kinds")}
        assert {"eventbridge", "slack", "sns", "toy"} <= set(kinds)
        assert kinds["toy"] == {
            "name": "toy",
            "title": "Toy, by a webhook",
            "needs_target": False,
            "needs_secret": True,
            "target_pattern": None,
            "options": None,
        }
        client.put("channels", "team", {"kind": "toy", "secret": "env:TOY"})
        with pytest.raises(ApiProblem, match=r"kind .*eventbridge.*slack.*toy"):
            client.put("channels", "other", {"kind": "pigeon"})
        said = subprocess.run(
            [TRAINBELL, "channels", "kinds", "--json"],
            env=up.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        assert "toy" in {each["name"] for each in json.loads(said.stdout)["items"]}
        client.close()
    refused = subprocess.run(
        [sys.executable, "-m", "trainbell.cli", "new-channel", "toy"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert "there is a channel toy already" in refused.stderr


@pytest.mark.parametrize("name", ["slack", "sns"])
def test_a_name_that_is_taken_is_refused(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = exit_status(["new-channel", name, "--directory", str(tmp_path / "project")])
    assert code == ExitCode.BAD_INPUT
    assert f"there is a channel {name} already" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_every_channel_of_trainbell_itself_has_the_fixed_files_and_is_tested() -> None:
    tested = (ROOT / "tests" / "contract" / "test_channels.py").read_text()
    for folder in (path for path in CHANNELS.iterdir() if (path / "__init__.py").is_file()):
        for name in ("channel.py", "message.py", "README.md"):
            assert (folder / name).is_file(), f"{folder.name} lacks {name}"
        own = ROOT / "tests" / "contract" / f"test_channel_{folder.name}.py"
        assert own.is_file() or f'"{folder.name}"' in tested, f"{folder.name} has no test"
