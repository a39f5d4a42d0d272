"""The mutation run: what it plants, and that it tells a killed mutant from one that lives."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.mutation import operators
from tests.mutation.excluded import EXCLUDED
from tests.mutation.mutant import PROVIDERS, ROOT, Mutant, mutants_of
from tests.mutation.operators import Change
from tests.mutation.patterns import changed, in_patterns

TABLE = """
STATUS_MAP = {"waiting": State.QUEUED, "done": State.SUCCEEDED}
STAGES = frozenset({"Starting", "Pending"})
"""


@pytest.mark.parametrize(
    ("operator", "source", "planted"),
    [
        (
            operators.in_status_tables,
            TABLE,
            {"without 'waiting'", "'waiting' is RUNNING", "without 'done'", "'done' is FAILED"}
            | {"without Starting", "without Pending"},
        ),
        (operators.in_bounds, "x = Field(ge=1)", {"ge 1 + 1", "ge 1 - 1"}),
        (
            operators.in_bounds,
            "x = Field(lt=0.5)",
            {"lt 0.5 * 1.1", "lt 0.5 * 0.9", "le=0.5 for lt"},
        ),
        (operators.in_bounds, "MOST = 9", {"the number 9 + 1", "the number 9 - 1"}),
        (operators.in_bounds, "a = b < c", {"b <= c"}),
        (
            operators.in_headers,
            '{"X-Token": token}',
            {"X-Token is not named", "X-Token says something else"},
        ),
        (operators.in_headers, 'Secret(scheme="Key")', {"scheme 'Key' is another"}),
        (operators.in_headers, 'reply.headers.get("date")', {"date is not read"}),
        (in_patterns, 're.compile(r"a+")', {"a+ is a*"}),
    ],
)
def test_each_small_fault_is_planted(
    operator: Callable[[ast.Module], Iterator[Change]], source: str, planted: set[str]
) -> None:
    assert {change.what for change in operator(ast.parse(source))} == planted


def test_a_pattern_is_changed_in_one_place_at_a_time() -> None:
    assert set(changed(r"^[a-z_]{1,3}\.x?$")) == {
        r"[a-z_]{1,3}\.x?$",
        r"^[a-z_]{1,3}\.x?",
        r"^[_]{1,3}\.x?$",
        r"^[a-z]{1,3}\.x?$",
        r"^[~a-z_]{1,3}\.x?$",
        r"^[a-z_]{0,3}\.x?$",
        r"^[a-z_]{2,3}\.x?$",
        r"^[a-z_]{1,2}\.x?$",
        r"^[a-z_]{1,4}\.x?$",
        r"^[a-z_]{1,3}.x?$",
        r"^[a-z_]{1,3}\.x$",
    }


@pytest.fixture(scope="module")
def mutants() -> list[Mutant]:
    return [mutant for provider in PROVIDERS for mutant in mutants_of(provider)]


def test_every_mutant_differs_and_can_be_compiled(mutants: list[Mutant]) -> None:
    assert all(mutant.source != mutant.path.read_text(encoding="utf-8") for mutant in mutants)
    for mutant in mutants[::50]:
        compile(mutant.source, mutant.name, "exec")


def test_what_is_left_out_is_there_and_says_why(mutants: list[Mutant]) -> None:
    assert set(EXCLUDED) <= {mutant.name for mutant in mutants}
    assert all(EXCLUDED.values())
    assert len(EXCLUDED) < len(mutants) / 20


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.mutation", "--unproved", *options]
    return subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=100
    )


def test_a_sample_is_killed() -> None:
    """A taste; `make mutants` plants them all."""
    done = run("--provider", "deepva", "--kind", "bound", "--sample", "4", "--seed", "1")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "4 killed, 0 survived" in done.stdout


def test_a_mutant_that_lives_is_named_and_fails_the_run() -> None:
    """One that is left out does what the original does: no test can kill it."""
    done = run("--provider", "deepva", "--excluded", "--sample", "1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "SURVIVED shared/trainbell/providers/deepva/" in done.stdout
