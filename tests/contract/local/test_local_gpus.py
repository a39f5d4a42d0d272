"""GPUs of this machine: free ones are taken, held while anything of the run lives, and named."""

from __future__ import annotations

import ctypes
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.local.machine import Machine, until
from trainbell.domain.job import State
from trainbell.domain.order import WhenBusy
from trainbell.errors import ProviderRejected, ProviderThrottled
from trainbell.providers.local.gpus import LIBRARY, NoGpus, free_gpus, load_nvml
from trainbell.providers.local.parameters import LocalOptions

SHOW_AND_STAY = 'echo "$CUDA_VISIBLE_DEVICES" > "$TRAINBELL_JOB_ID"; exec sleep 60'


@pytest.fixture
def two_gpus(machine: Machine) -> Machine:
    machine.provider = machine.a_provider(options=LocalOptions(gpus=["0", "1"]))
    return machine


def given(machine: Machine, job_id: str) -> str:
    file = machine.data_dir / job_id
    until(lambda: file.exists() and file.read_text().endswith("\n"))
    return file.read_text().strip()


def test_each_run_has_gpus_of_its_own_until_it_is_gone(two_gpus: Machine) -> None:
    first, second, third = (two_gpus.shell(SHOW_AND_STAY, gpus=1) for _ in range(3))
    handle = two_gpus.provider.start(first)
    two_gpus.provider.start(second)
    assert [given(two_gpus, first.job_id), given(two_gpus, second.job_id)] == ["0", "1"]

    with pytest.raises(ProviderRejected, match="1 GPUs are wanted, and 0 of this machine are free"):
        two_gpus.provider.start(third)
    waiting = replace(third, when_busy=WhenBusy.WAIT)
    with pytest.raises(ProviderThrottled):
        two_gpus.provider.start(waiting)
    assert two_gpus.provider.find(third) is None

    two_gpus.provider.cancel(handle)
    assert two_gpus.end_of(handle).state is State.CANCELLED
    until(lambda: _starts(two_gpus, waiting))
    assert given(two_gpus, third.job_id) == "0"


def test_a_killed_supervisor_lets_go_of_no_gpu_while_the_command_lives(two_gpus: Machine) -> None:
    order = two_gpus.shell(SHOW_AND_STAY, gpus=2)
    two_gpus.provider.start(order)
    two_gpus.kill_supervisor(order)

    with pytest.raises(ProviderRejected, match="0 of this machine are free"):
        two_gpus.provider.start(two_gpus.shell(SHOW_AND_STAY, gpus=1))


def test_two_gpus_are_named_together(two_gpus: Machine) -> None:
    order = two_gpus.shell(SHOW_AND_STAY, gpus=2)
    two_gpus.provider.start(order)

    assert given(two_gpus, order.job_id) == "0,1"


def test_where_nobody_knows_of_gpus_the_start_is_refused(machine: Machine) -> None:
    def none() -> Any:
        raise NoGpus("no GPU of this machine is known")

    machine.provider = machine.a_provider(load_nvml=none)
    with pytest.raises(ProviderRejected, match="no GPU of this machine is known"):
        machine.provider.start(machine.shell("exit 0", gpus=1))


def test_nvml_tells_the_gpus_that_nobody_computes_on() -> None:
    assert free_gpus(None, lambda: Nvml([0, 2, 0])) == ["GPU-0", "GPU-2"]
    with pytest.raises(NoGpus, match="nvmlInit_v2 gave 9"):
        free_gpus(None, lambda: Nvml([], init=9))


def test_where_the_driver_is_missing_its_library_is_named() -> None:
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        with pytest.raises(NoGpus, match="option `gpus`"):
            load_nvml()


class Nvml:
    """The driver's library as its reference describes these calls: by address, with codes.

    `processes`: how many compute on each GPU.
    """

    def __init__(self, processes: list[int], init: int = 0) -> None:
        self._processes = processes
        self._init = init

    def nvmlInit_v2(self) -> int:
        return self._init

    def nvmlShutdown(self) -> int:
        return 0

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:
        count._obj.value = len(self._processes)
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: Any, device: Any) -> int:
        device._obj.value = index.value + 1
        return 0

    def nvmlDeviceGetUUID(self, device: Any, text: Any, length: Any) -> int:
        text.value = f"GPU-{device.value - 1}".encode()
        return 0 if length.value >= 80 else 7

    def nvmlDeviceGetComputeRunningProcesses_v3(self, device: Any, count: Any, infos: Any) -> int:
        assert infos is None
        count._obj.value = self._processes[device.value - 1]
        return 7 if count._obj.value else 0


def _starts(machine: Machine, order: Any) -> bool:
    try:
        machine.provider.start(order)
    except ProviderThrottled:
        return False
    return True
