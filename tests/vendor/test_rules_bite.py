"""`make vendor-clients` fails when a simulator's rule is broken on purpose."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.vendor.broken_rules import RULES, VARIABLE

pytestmark = [pytest.mark.vendor, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TESTS_FAILED = 1


def module_of(service: str) -> Path:
    return HERE / f"test_{service}_client.py"


def test_each_module_with_a_vendors_client_has_a_rule_to_break() -> None:
    assert {module_of(service) for service in RULES} == set(HERE.glob("test_*_client.py"))


@pytest.mark.parametrize("service", RULES)
def test_a_broken_rule_fails_the_tests_that_check_it(service: str) -> None:
    rule = RULES[service]
    command = [sys.executable, "-m", "pytest", "-m", "vendor", str(module_of(service))]
    done = subprocess.run(
        [*command, "-p", "tests.vendor.broken_rules", "-p", "no:cacheprovider", "--tb=no", "-rf"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), VARIABLE: service},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    failed = [
        line.removeprefix("FAILED ").partition(" - ")[0]
        for line in done.stdout.splitlines()
        if line.startswith("FAILED ")
    ]
    assert done.returncode == TESTS_FAILED, done.stdout[-2000:]
    unnoticed = {name for name in rule.noticed_by if not any(f.endswith(name) for f in failed)}
    assert not unnoticed, f"nobody noticed that this is broken: {rule.rule}"
