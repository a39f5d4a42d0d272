"""What a command sees of the environment."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.contract.local.machine import (
    Machine,
)
from trainbell.errors import ProviderRejected
from trainbell.providers.local.parameters import LocalOptions
from trainbell.providers.local.passed_variables import pass_on


def test_the_command_sees_what_it_is_meant_to_see(machine: Machine) -> None:
    order = machine.order(
        "python",
        "-c",
        "import os, sys, json, signal;"
        "print(json.dumps([dict(os.environ), sys.executable, os.getcwd(), sys.argv[1],"
        "signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, os.getpgid(0) == os.getpid()]))",
        "zażółć ☃ 'quoted' $HOME",
        env={"KEY2": "wert ü", "HOME": "/elsewhere"},
    )
    machine.run(order)

    said = machine.file(order, "log.txt").read_text(encoding="utf-8")
    environment, executable, cwd, argument, default_signals, own_group = json.loads(said)
    assert Path(executable) == Path(sys.executable)
    assert Path(cwd) == machine.data_dir
    assert argument == "zażółć ☃ 'quoted' $HOME"
    assert default_signals
    assert own_group
    assert environment["KEY2"] == "wert ü"
    assert environment["HOME"] == "/elsewhere"
    assert {name for name in environment if name.startswith("TRAINBELL_")} == {
        "TRAINBELL_JOB_ID",
        "TRAINBELL_PROGRESS_FILE",
    }
    assert "KEY" not in environment


def test_a_connection_may_let_more_of_the_environment_pass(machine: Machine) -> None:
    machine.provider = machine.a_provider(options=LocalOptions(pass_environment=["KEY"]))
    order = machine.shell("echo $KEY")
    machine.run(order)

    assert machine.provider.logs({"job_id": order.job_id}, 1) == ("k",)


SECRETS = {
    "NVIDIA_API_KEY": "canary",
    "CUDA_TOKEN": "canary",
    "XDG_SECRET": "canary",
    "LC_PASSWORD": "canary",
    "OMP_KEY": "canary",
    "WANDB_API_KEY": "canary",
}


def test_a_secret_beside_harmless_names_stays_out_unless_it_is_named(machine: Machine) -> None:
    own = {**SECRETS, "PATH": os.environ["PATH"], "CUDA_VISIBLE_DEVICES": "1", "LC_ALL": "C"}
    order = machine.shell("env")
    machine.a_provider(own_environment=own).start(order)
    machine.end_of({"job_id": order.job_id})
    said = machine.file(order, "log.txt").read_text()
    assert "canary" not in said
    assert "CUDA_VISIBLE_DEVICES=1\nLC_ALL=C\n" in "\n".join(sorted(said.split("\n"))) + "\n"

    named = LocalOptions(pass_environment=["NVIDIA_API_KEY"])
    order = machine.shell("env")
    machine.a_provider(own_environment=own, options=named).start(order)
    machine.end_of({"job_id": order.job_id})
    assert machine.file(order, "log.txt").read_text().count("canary") == 1


def test_a_job_that_brings_its_environment_gets_nothing_of_trainbells(machine: Machine) -> None:
    own_python = machine.data_dir / "bin" / "python"
    own_python.parent.mkdir()
    own_python.write_text("#!/bin/sh\nenv\n")
    own_python.chmod(0o755)
    path = f"{own_python.parent}:/usr/bin:/bin"
    order = machine.order("python", env={"PATH": path, "KEY2": "x"}, inherit=False)
    machine.run(order)

    said = dict(
        line.split("=", 1) for line in machine.file(order, "log.txt").read_text().splitlines()
    )
    assert (said["PATH"], said["KEY2"], said["PYTHONUNBUFFERED"]) == (path, "x", "1")
    assert "HOME" not in said


def test_variables_that_are_passed_by_name_reach_the_command_and_no_record(
    machine: Machine,
) -> None:
    passed = pass_on(machine.root, {"WANDB_API_KEY": "canary"})
    order = machine.shell('[ "$WANDB_API_KEY" = canary ]', passed=passed)

    assert machine.run(order).exit_code == 0
    run = machine.root / order.job_id
    holding = [f for f in run.iterdir() if f.is_file() and "canary" in f.read_text()]
    assert [f.name for f in holding] == ["passed.json"]
    assert holding[0].stat().st_mode & 0o777 == 0o600
    assert holding[0].stat().st_nlink == 2


def test_variables_that_are_gone_are_no_empty_ones(machine: Machine) -> None:
    order = machine.shell("exit 0", passed="0" * 32)

    with pytest.raises(ProviderRejected, match="run it again where they are set"):
        machine.provider.start(order)
