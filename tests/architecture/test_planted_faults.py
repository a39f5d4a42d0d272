"""The claims can fail: each planted fault is found by the check that is meant to find it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shared" / "trainbell"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project in which faults may be planted."""
    left_out = shutil.ignore_patterns("__pycache__", "*.md", "*.svg")
    shutil.copytree(PACKAGE, tmp_path / "shared" / "trainbell", ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def plant(copy: Path, module: str, old: str, new: str) -> None:
    path = copy / "shared" / "trainbell" / module
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def run(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    # First on the path, so that the copy is what is looked at, and not this checkout.
    path = os.pathsep.join([str(copy / "shared"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=90
    )


LINT = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"


def lint(copy: Path) -> subprocess.CompletedProcess[str]:
    return run(copy, sys.executable, "-c", LINT)


FUTURE = "from __future__ import annotations\n"


@pytest.mark.parametrize(
    ("module", "planted", "contract"),
    [
        (
            "use_cases/jobs/forget_job.py",
            "from trainbell.stores.codec import dump_job",
            "Arrows point down, and siblings are strangers",
        ),
        ("domain/order.py", "import pydantic", "The domain does no I/O"),
        (
            "simulators/deepva/service.py",
            "from trainbell.providers.deepva import status_map",
            "A simulator knows the documents, not the code that it is held against",
        ),
        (
            "use_cases/telling/publish_changes.py",
            "from trainbell.use_cases.jobs import holds",
            "Wings of use cases stand on the ground floor, not on each other",
        ),
        ("client.py", "import pydantic", "The client is light"),
    ],
)
def test_a_wrong_import_breaks_its_contract(
    copy: Path, module: str, planted: str, contract: str
) -> None:
    plant(copy, module, FUTURE, f"{FUTURE}\n{planted}\n")
    result = lint(copy)
    assert result.returncode != 0
    assert f"{contract} BROKEN" in result.stdout


def test_the_copy_without_a_fault_breaks_none(copy: Path) -> None:
    assert lint(copy).returncode == 0


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        (
            "views/job.py",
            "    error_details: Any\n",
            "    error_details: Any\n    lease_until: datetime | None = None\n",
        ),
        ("views/job.py", "    polls: int\n", "    polls: int\n    holds: list[str] = []\n"),
    ],
    ids=["in an event", "in the API"],
)
def test_an_internal_field_that_gets_out_is_seen(
    copy: Path, module: str, old: str, new: str
) -> None:
    plant(copy, module, old, new)
    test = str(Path(__file__).with_name("test_public_view.py"))
    options = ("-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT), "-c", os.devnull)
    result = run(copy, sys.executable, "-m", "pytest", *options, test)
    assert result.returncode == 1
    assert "FAILED" in result.stdout
