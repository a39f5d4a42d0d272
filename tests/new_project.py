"""A project made by `trainbell new-…`, checked and installed as its author would."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from trainbell.cli.app import exit_status
from trainbell.cli.exit_codes import ExitCode

ROOT = Path(__file__).parents[1]


def run(directory: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def made(what: str, directory: Path, name: str = "toy") -> Path:
    place = directory / "project"
    assert exit_status([f"new-{what}", name, "--directory", str(place)]) == ExitCode.SUCCEEDED
    return place


def check_is_clean(project: Path, mypy_cache: Path) -> None:
    for check in (("check", "."), ("format", "--check", ".")):
        said = run(project, "ruff", *check, "--no-cache")
        assert said.returncode == 0, said.stdout
    said = run(project, "mypy", "--cache-dir", mypy_cache)
    assert said.returncode == 0, said.stdout


def install(project: Path) -> None:
    """What pip would leave on the path, from the project's own metadata."""
    declared = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    ((group, points),) = declared["entry-points"].items()
    metadata = project / "trainbell_toy-0.1.0.dist-info"
    metadata.mkdir()
    head = f"Metadata-Version: 2.1\nName: {declared['name']}\nVersion: {declared['version']}\n"
    (metadata / "METADATA").write_text(head)
    lines = [f"[{group}]", *(f"{name} = {place}" for name, place in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
