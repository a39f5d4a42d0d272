"""The command line answers at once: a command imports what it needs, and nothing of the engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trainbell.cli.command_table import COMMANDS, load
from trainbell.version import __version__

LISTING = (
    ("--version",),
    ("--help",),
    ("jobs",),
    ("show", "01jobaaaaaaaaaaaaaaaaaaaaa"),
    ("events", "01jobaaaaaaaaaaaaaaaaaaaaa"),
    ("providers",),
    ("connections", "list"),
    ("call", "dr"),
    ("datarobot", "models", "list"),
    ("channels", "list"),
    ("schedules", "list"),
    ("status",),
)
OF_THE_ENGINE = (
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "trainbell.api",
    "trainbell.bootstrap",
    "trainbell.embedded.instance",
    "trainbell.providers",
    "trainbell.stores",
    "trainbell.use_cases",
    "uvicorn",
)
IMPORTED = """
import json, sys
from trainbell.cli.app import exit_status
code = exit_status({args!r})
print("\\n" + json.dumps([code, sorted(sys.modules)]))
"""
HIDING = """
import importlib.abc, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
sys.argv = ["trainbell", *{args!r}]
from trainbell.cli.app import run
run()
"""


def python(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "TRAINBELL_DATA_DIR": str(home / "data")}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("args", LISTING, ids=" ".join)
def test_a_list_is_asked_for_without_the_engine(args: tuple[str, ...], tmp_path: Path) -> None:
    done = python(IMPORTED.format(args=list(args)), tmp_path)
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == (0 if args[0].startswith("--") else 7), done.stderr
    found = [
        name for name in modules if any(f"{name}.".startswith(f"{no}.") for no in OF_THE_ENGINE)
    ]
    assert found == []


def test_our_own_modules_of_a_list_do_without_pydantic(tmp_path: Path) -> None:
    """Typer itself brings it when a command runs, to read its options; so none is run here."""
    modules = [
        entry.target.partition(":")[0] for entry in COMMANDS if entry.panel != "This machine"
    ]
    ours = ", ".join(f"trainbell.cli.{name}" for name in ("running", *modules))
    code = f"import sys, {ours}; print('pydantic' in sys.modules)"
    assert python(code, tmp_path).stdout == "False\n"


def test_the_table_says_what_the_commands_say() -> None:
    for entry in COMMANDS:
        said = " ".join((load(entry).help or "").split())
        assert said.startswith(entry.summary), entry.name


@pytest.mark.parametrize("args", [["--version"], ["-h"], ["jobs", "-h"], ["channels", "-h"]])
def test_what_everybody_tries_first(args: list[str], tmp_path: Path) -> None:
    done = python(HIDING.format(absent=(), args=args), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert __version__ in done.stdout if args == ["--version"] else "Usage: " in done.stdout


def test_no_arguments_are_a_question_for_help(tmp_path: Path) -> None:
    done = python(HIDING.format(absent=(), args=[]), tmp_path)
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.count("Usage: ") == 1


@pytest.mark.parametrize(
    ("absent", "args"), [("typer", ["jobs"]), ("rich", []), ("uvicorn", ["up"])]
)
def test_without_its_extra_it_says_in_one_line_what_to_install(
    absent: str, args: list[str], tmp_path: Path
) -> None:
    done = python(HIDING.format(absent=(absent,), args=args), tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"trainbell: {absent} is not installed")
    assert "pip install '.[embedded]'" in done.stderr
    assert done.stderr.count("\n") == 1
