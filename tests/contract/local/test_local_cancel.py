"""Cancelled means gone."""

from __future__ import annotations

import json
from dataclasses import replace

import psutil
import pytest

from tests.contract.local.machine import (
    LOOP,
    Machine,
    until,
)
from trainbell.domain.job import State


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        ("touch up; exec sleep 60", (State.CANCELLED, None, "SIGTERM")),
        (
            f"trap '' TERM; {LOOP}",
            (State.CANCELLED, None, "SIGKILL"),
        ),
        (f"trap 'exit 0' TERM; {LOOP}", (State.SUCCEEDED, 0, None)),
        (f"trap 'exit 7' TERM; {LOOP}", (State.CANCELLED, 7, None)),
    ],
)
def test_cancelled_means_that_it_has_ended(
    machine: Machine, script: str, ending: tuple[State, int | None, str | None]
) -> None:
    handle = machine.provider.start(machine.shell(script, grace_seconds=0.3))
    until((machine.data_dir / "up").exists)
    machine.provider.cancel(handle)
    machine.provider.cancel(handle)

    end = machine.end_of(handle)

    assert (end.state, end.exit_code, end.signal) == ending
    until(lambda: not machine.processes())
    machine.provider.cancel(handle)
    assert machine.provider.poll(handle).ended_at == end.ended_at


def test_it_is_cancelling_until_it_has_ended(machine: Machine) -> None:
    order = machine.shell(f"trap '' TERM; {LOOP}", grace_seconds=60)
    handle = machine.provider.start(order)
    until((machine.data_dir / "up").exists)
    machine.provider.cancel(handle)

    assert machine.provider.poll(handle).state is State.CANCELLING


def test_what_the_command_started_is_cancelled_with_it(machine: Machine) -> None:
    script = f"(trap '' TERM; {LOOP}) & wait"
    handle = machine.provider.start(machine.shell(script, grace_seconds=0.3))
    until((machine.data_dir / "up").exists)
    machine.provider.cancel(handle)

    assert machine.end_of(handle).state is State.CANCELLED
    until(lambda: not machine.processes())


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_command_without_supervisor_can_be_cancelled(machine: Machine, stubborn: bool) -> None:
    ignore = "trap '' TERM;" if stubborn else ""
    script = f"{ignore} {LOOP}"
    order = machine.shell(script, grace_seconds=0.3)
    handle = machine.provider.start(order)
    until((machine.data_dir / "up").exists)
    machine.kill_supervisor(order)
    machine.provider.cancel(handle)

    assert machine.end_of(handle).state is State.CANCELLED
    until(lambda: not machine.processes())


ESCAPED = "setsid sh -c 'trap \"\" TERM; touch up; exec sleep 60' & "


def test_what_has_left_the_group_and_the_session_is_ended_with_it(machine: Machine) -> None:
    """`setsid` twice removed, deaf to SIGTERM, and its parent gone."""
    script = f"({ESCAPED}) ; exec sleep 60"
    handle = machine.provider.start(machine.shell(script, grace_seconds=0.3))
    until((machine.data_dir / "up").exists)
    machine.provider.cancel(handle)

    assert machine.end_of(handle).state is State.CANCELLED
    assert machine.processes() == [] or all(p.name() != "sleep" for p in machine.processes())


def test_a_command_that_ends_well_on_a_cancel_leaves_nothing_behind_either(
    machine: Machine,
) -> None:
    script = f"trap 'exit 0' TERM; {ESCAPED} {LOOP}"
    handle = machine.provider.start(machine.shell(script, grace_seconds=0.3))
    until((machine.data_dir / "up").exists)
    machine.provider.cancel(handle)

    assert machine.end_of(handle).state is State.SUCCEEDED
    assert not any(p.name() == "sleep" for p in machine.processes())


def test_without_supervisor_what_has_left_the_group_is_ended_too(machine: Machine) -> None:
    order = machine.shell(f"({ESCAPED}) ; exec sleep 60", grace_seconds=0.3)
    handle = machine.provider.start(order)
    until((machine.data_dir / "up").exists)
    machine.kill_supervisor(order)
    machine.provider.cancel(handle)

    assert machine.end_of(handle).state is State.CANCELLED
    assert not any(p.name() == "sleep" for p in machine.processes())


def test_a_run_that_gave_its_lock_back_stays_cancelling_while_anything_of_it_lives(
    machine: Machine,
) -> None:
    """The child closes every inherited file, so the lock alone would call it gone."""
    deaf = (
        "import os, signal, time; os.setsid(); signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "os.closerange(3, 256); open('up', 'w').close(); time.sleep(60)"
    )
    order = machine.order(
        "python", "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {deaf!r}])"
    )
    order = replace(order, parameters={**order.parameters, "grace_seconds": 60})
    handle = machine.provider.start(order)
    until((machine.data_dir / "up").exists)
    machine.kill_supervisor(order)
    psutil.Process(machine.record(order, "process.json")["pid"]).kill()
    machine.provider.cancel(handle)

    assert machine.provider.poll(handle).state is State.CANCELLING
    deaf_one = next(p for p in machine.processes() if deaf in p.cmdline())
    deaf_one.kill()
    assert machine.end_of(handle).state is State.CANCELLED


def test_what_does_not_die_is_said_to_live(machine: Machine) -> None:
    """No test can make a process that SIGKILL does not end: the supervisor's record of it is
    written here, and read as it is read then."""
    order = machine.shell(f"trap '' TERM; {LOOP}", grace_seconds=60)
    handle = machine.provider.start(order)
    until((machine.data_dir / "up").exists)
    machine.provider.cancel(handle)
    record = {"processes": ["nvidia-worker (4711)"]}
    machine.file(order, "survivors.json").write_text(json.dumps(record))

    seen = machine.provider.poll(handle)

    assert seen.state is State.CANCELLING
    assert seen.message == "Still lives after SIGKILL: nvidia-worker (4711)."


def test_a_child_that_outlives_the_command_is_reported_and_left_alone(machine: Machine) -> None:
    order = machine.shell("setsid sleep 60 & exit 0")
    end = machine.run(order)

    assert end.state is State.SUCCEEDED
    assert "It left running: sleep (" in (end.message or "")
    assert any(p.name() == "sleep" for p in machine.processes())
