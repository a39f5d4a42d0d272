"""Started once, whoever dies at whatever step."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from tests.contract.local.machine import (
    PATIENCE_SECONDS,
    Machine,
    until,
)
from trainbell.domain.job import State
from trainbell.errors import (
    StartOutcomeUnknown,
)
from trainbell.providers.local.launching import (
    BEGIN,
    SUPERVISOR,
    Outcome,
    SupervisorAnswer,
    hand_over,
)


def test_the_same_order_again_is_the_same_run(machine: Machine) -> None:
    order = machine.shell("echo started >> starts; sleep 0.1")
    handle = machine.provider.start(order)

    assert machine.provider.start(order) == handle
    machine.end_of(handle)
    assert machine.a_provider().start(order) == handle
    assert (machine.data_dir / "starts").read_text() == "started\n"


def test_of_many_starters_one_starts(machine: Machine) -> None:
    order = machine.shell("echo started >> starts; sleep 0.2")
    ready = threading.Barrier(10)
    results: list[object] = []

    def start() -> None:
        provider = machine.a_provider()
        ready.wait()
        try:
            results.append(provider.start(order))
        except Exception as error:  # noqa: BLE001 - compared below
            results.append(error)

    threads = [threading.Thread(target=start) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [{"job_id": order.job_id}] * 10
    machine.end_of({"job_id": order.job_id})
    assert (machine.data_dir / "starts").read_text() == "started\n"


def test_an_order_that_arrives_late_does_not_start_an_ended_run_again(machine: Machine) -> None:
    sent: list[Mapping[str, Any]] = []

    def listening(order: Mapping[str, Any], **given: Any) -> SupervisorAnswer:
        sent.append(order)
        return hand_over(order, **given)

    machine.provider = machine.a_provider(hand_over=listening)
    order = machine.shell("echo started >> starts")
    machine.run(order)
    until(lambda: not machine.processes())

    late = hand_over(sent[0], environment={}, timeout_seconds=PATIENCE_SECONDS)

    assert late.outcome is Outcome.TAKEN
    until(lambda: not machine.processes())
    assert (machine.data_dir / "starts").read_text() == "started\n"


KILLED_AT = """
import importlib, os, signal, sys
sys.path.append(os.path.dirname(sys.argv[1]))
name, _, step = sys.argv[2].partition(".")
module = importlib.import_module("supervisor." + name)
real = getattr(module, step)
def killed(*args, **kwargs):
    if sys.argv[3] == "after":
        real(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(module, step, killed)
importlib.import_module("supervisor.main").main()
"""


@pytest.mark.parametrize(
    ("step", "when", "launched", "trainings"),
    [
        ("main.supervise", "before", False, 0),
        ("claiming.take_lock", "after", False, 0),
        ("claiming.open_control", "after", False, 0),
        ("claiming.claim_launch", "after", True, 0),
        ("commanding.spawn", "after", True, 1),
        ("commanding.write_whole", "after", True, 1),
        ("main.answer", "after", True, 1),
        ("main.write_ending", "before", True, 1),
        ("main.write_ending", "after", True, 1),
    ],
)
def test_a_supervisor_killed_at_any_step_never_makes_two_trainings(
    machine: Machine, step: str, when: str, launched: bool, trainings: int
) -> None:
    def killed_on_the_way(order: Mapping[str, Any], **_: Any) -> SupervisorAnswer:
        arguments = [sys.executable, "-I", "-S", "-c", KILLED_AT, str(SUPERVISOR), step, when]
        subprocess.run(
            arguments, input=json.dumps(order).encode(), stdout=subprocess.PIPE, check=False
        )
        return SupervisorAnswer(Outcome.UNCLEAR, "killed")

    order = machine.shell("echo started >> starts; sleep 0.2")
    starts = machine.data_dir / "starts"
    with contextlib.suppress(StartOutcomeUnknown):
        machine.a_provider(hand_over=killed_on_the_way).start(order)

    assert (machine.provider.find(order) is not None) is launched

    end = machine.run(order)  # what Trainbell does next: start again, or find that it was started

    assert starts.exists() is bool(trainings or not launched)
    if starts.exists():
        assert starts.read_text() == "started\n"
    told_its_end = not launched or (step, when) == ("main.write_ending", "after")
    assert end.state is (State.SUCCEEDED if told_its_end else State.FAILED)
    if not told_its_end:
        assert (end.vendor_status, end.exit_code) == ("vanished", None)
        assert "exit code is unknown" in (end.message or "")


def test_a_starter_that_dies_while_it_sends_the_order_starts_nothing(machine: Machine) -> None:
    half = subprocess.run(
        [sys.executable, "-I", "-S", "-c", BEGIN, str(SUPERVISOR)],
        input=b'{"run_directory": "/tm',
        capture_output=True,
        check=False,
    )

    assert half.returncode == 1
    assert half.stdout == b""
    assert machine.processes() == []
