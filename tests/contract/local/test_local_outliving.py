"""A run outlives Trainbell, and is never mistaken for another process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.contract.local.machine import SLEEP, Machine, alive, until
from trainbell.domain.job import EndReason, State

TRAINBELL = """
import json, signal, sys, threading
from pathlib import Path
from trainbell.clock import SystemClock
from trainbell.ports import StartOrder
from trainbell.providers.local.parameters import LocalOptions
from trainbell.providers.local.provider import LocalProvider
provider = LocalProvider(Path(sys.argv[1]), SystemClock(), LocalOptions(), {"PATH": sys.argv[2]})
provider.start(StartOrder(job_id=sys.argv[3], kind="train", parameters=json.loads(sys.argv[4])))
print("started", flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGHUP, signal.SIGINT])
def test_what_kills_trainbell_and_its_group_leaves_the_run_alone(
    machine: Machine, blow: signal.Signals
) -> None:
    order = machine.shell("until [ -e go ]; do sleep 0.02; done; exit 4")
    parameters = json.dumps(dict(order.parameters))
    arguments = [str(machine.root), os.environ["PATH"], order.job_id, parameters]
    with subprocess.Popen(
        [sys.executable, "-c", TRAINBELL, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as trainbell:
        assert trainbell.stdout is not None
        assert trainbell.stdout.readline() == b"started\n"
        os.killpg(trainbell.pid, blow)
        trainbell.wait()

    handle = machine.provider.find(order)
    assert handle is not None
    assert machine.provider.poll(handle).state is State.RUNNING
    (machine.data_dir / "go").touch()
    assert machine.end_of(handle).exit_code == 4


def test_the_supervisor_ends_with_its_command_and_not_by_a_plain_kill(machine: Machine) -> None:
    order = machine.shell("until [ -e go ]; do sleep 0.02; done; exit 4")
    handle = machine.provider.start(order)
    supervisor = psutil.Process(machine.record(order, "launch.json")["supervisor"])
    for blow in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        supervisor.send_signal(blow)
    (machine.data_dir / "go").touch()

    assert machine.end_of(handle).exit_code == 4
    until(lambda: not alive(supervisor))


def test_without_its_supervisor_a_command_still_counts_as_running(machine: Machine) -> None:
    order = machine.shell("until [ -e go ]; do sleep 0.02; done")
    handle = machine.provider.start(order)
    machine.kill_supervisor(order)

    assert machine.provider.poll(handle).state is State.RUNNING
    (machine.data_dir / "go").touch()
    end = machine.end_of(handle)
    assert (end.state, end.end_reason) == (State.FAILED, EndReason.SERVICE_FAILED)
    assert "exit code is unknown" in (end.message or "")


# ---------------------------------------------------------------- a reused process id


def test_a_foreign_process_with_the_recorded_id_is_not_the_run(
    machine: Machine, foreign: subprocess.Popen[bytes]
) -> None:
    order = machine.order(*SLEEP)
    handle = machine.provider.start(order)
    machine.kill_supervisor(order)
    record = machine.record(order, "process.json")
    psutil.Process(record["pid"]).kill()
    machine.file(order, "process.json").write_text(json.dumps({**record, "pid": foreign.pid}))
    until(lambda: machine.provider.poll(handle).state is not State.RUNNING)

    assert machine.provider.poll(handle).vendor_status == "vanished"
    machine.provider.cancel(handle)
    assert foreign.poll() is None


def test_a_foreign_process_is_not_signalled_even_while_something_of_the_run_lives(
    machine: Machine, foreign: subprocess.Popen[bytes]
) -> None:
    order = machine.order(*SLEEP)
    handle = machine.provider.start(order)
    machine.kill_supervisor(order)
    record = machine.record(order, "process.json")
    machine.file(order, "process.json").write_text(json.dumps({**record, "pid": foreign.pid}))

    machine.provider.cancel(handle)

    assert machine.end_of(handle).state is State.CANCELLED
    assert foreign.poll() is None
    until(lambda: not machine.processes())
