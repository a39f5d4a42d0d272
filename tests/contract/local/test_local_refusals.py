"""What cannot start is refused, in words, and leaves nothing."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.builders import a_connection
from tests.contract.local.machine import (
    PATIENCE_SECONDS,
    SLEEP,
    Machine,
    until,
)
from tests.open_secrets import OpenSecrets
from trainbell.clock import SystemClock
from trainbell.domain.job import State
from trainbell.errors import (
    ConfigInvalid,
    ProviderJobMissing,
    ProviderRejected,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.ports import ProviderContext, StartOrder
from trainbell.providers.local import PROVIDER
from trainbell.providers.local.launching import Outcome, SupervisorAnswer, hand_over


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"command": ["no-such-program"]}, "no program 'no-such-program'"),
        ({"command": ["/"]}, "no program '/'"),
        ({"command": ["./missing.sh"]}, "no program './missing.sh'"),
        ({"command": ["sleep", "1"], "cwd": "/no/such/place"}, "no directory /no/such/place"),
        ({"command": ["sleep", "1"], "cwd": "relative"}, "absolute"),
        ({"command": []}, "parameters.command"),
        ({"command": [" "]}, "name a program"),
        ({"command": "sleep 1"}, "parameters.command"),
        ({"command": ["sleep", 1]}, "parameters.command.1"),
        ({"command": ["a\0b"]}, "NUL"),
        ({"command": ["x"] * 257}, "parameters.command"),
        ({"command": ["x" * 16_000] * 5}, "65536"),
        ({"command": ["sleep"], "env": {"TRAINBELL_TOKEN": "x"}}, "Trainbell's own"),
        ({"command": ["sleep"], "env": {"A=B": "x"}}, "variable name"),
        ({"command": ["sleep"], "env": {"A": "\0"}}, "NUL"),
        ({"command": ["sleep"], "env": {"A": "x" * 16_000, "B": "x"}, "cwd": "\0"}, "NUL"),
        ({"command": ["sleep"], "grace_seconds": -1}, "grace_seconds"),
        ({"command": ["sleep"], "grace_seconds": float("nan")}, "grace_seconds"),
        ({"command": ["sleep"], "shell": True}, "parameters.shell"),
        ({}, "parameters.command"),
    ],
)
def test_what_cannot_start_is_refused_and_leaves_nothing(
    machine: Machine, parameters: dict[str, Any], words: str
) -> None:
    order = StartOrder(job_id="refused", kind="train", parameters=parameters)

    with pytest.raises(ProviderRejected, match=words):
        machine.provider.start(order)

    assert machine.provider.find(order) is None
    assert not machine.root.exists()


def test_a_program_that_only_the_system_can_refuse(machine: Machine) -> None:
    program = machine.data_dir / "program"
    program.write_bytes(b"\x7fELF but not really")
    program.chmod(0o755)
    order = machine.order("./program")

    with pytest.raises(ProviderRejected, match="Exec format error"):
        machine.provider.start(order)

    assert machine.provider.find(order) is None
    with pytest.raises(ProviderJobMissing):
        machine.provider.poll({"job_id": order.job_id})
    until(lambda: not machine.processes())
    program.write_text("#!/bin/sh\nexit 0\n")
    assert machine.run(order).state is State.SUCCEEDED


def test_trouble_with_the_disk_is_no_fault_of_the_job(machine: Machine) -> None:
    machine.root.write_text("a file where the directory should be")

    for call in (machine.provider.start, machine.provider.find):
        with pytest.raises(ProviderUnavailable, match="run directory"):
            call(machine.order(*SLEEP))


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (Outcome.UNAVAILABLE, ProviderUnavailable),
        (Outcome.UNCLEAR, StartOutcomeUnknown),
        (Outcome.REJECTED, ProviderRejected),
    ],
)
def test_what_the_supervisor_answers_is_what_is_raised(
    machine: Machine, outcome: Outcome, error: type[Exception]
) -> None:
    provider = machine.a_provider(hand_over=lambda *_, **__: SupervisorAnswer(outcome, "no space"))

    with pytest.raises(error, match="no space"):
        provider.start(machine.order(*SLEEP))


def test_check_says_what_would_run(machine: Machine) -> None:
    assert sys.executable in machine.provider.check()
    assert not machine.root.exists()


def test_the_supervisor_is_reached_through_the_real_hand_over(machine: Machine) -> None:
    answer = hand_over({"no": "order"}, environment={}, timeout_seconds=PATIENCE_SECONDS)

    assert answer.outcome is Outcome.UNCLEAR
    assert "run_directory" in answer.message


def test_it_cannot_be_built_without_a_data_directory(machine: Machine) -> None:
    class NoSecrets(OpenSecrets):
        def read(self, reference: str) -> str:
            raise ConfigInvalid(reference)

    connection = a_connection(name="here", provider="local", secret=None)
    context = ProviderContext(connection=connection, secrets=NoSecrets(), clock=SystemClock())
    with pytest.raises(ConfigInvalid, match="embedded only"):
        PROVIDER.build(context)
