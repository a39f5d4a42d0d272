"""Which GPUs this machine has, and which nobody uses: from NVML, the driver's own library.

Source: NVML API reference, "Device Queries" and "Compute Process" calls. Called through ctypes, so
that no package is needed. A GPU that a process of somebody else computes on is not free, though no
job of ours holds it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

LIBRARY = "libnvidia-ml.so.1"
_SUCCESS = 0
_INSUFFICIENT_SIZE = 7
_UUID_BYTES = 96

Library = Any


class NoGpus(Exception):
    """Nobody can say which GPUs there are."""


def load_nvml() -> Library:
    """Raises NoGpus where the driver's library is not installed."""
    try:
        return ctypes.CDLL(LIBRARY)
    except OSError as exc:
        raise NoGpus(
            "no GPU of this machine is known: the NVIDIA driver's library is not here; name them "
            'in the connection\'s option `gpus`, such as ["0", "1"]'
        ) from exc


def free_gpus(named: Sequence[str] | None, load: Callable[[], Library] = load_nvml) -> list[str]:
    """What CUDA_VISIBLE_DEVICES may name: those that the owner `named`, or else, by their UUIDs,
    all that no process computes on.

    Raises:
        NoGpus: none were named, and NVML is not here or fails.
    """
    if named is not None:
        return list(named)
    nvml = load()
    _must(nvml.nvmlInit_v2(), "nvmlInit_v2")
    try:
        count = ctypes.c_uint()
        _must(nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)), "nvmlDeviceGetCount_v2")
        devices = [_device(nvml, index) for index in range(count.value)]
        return [_uuid(nvml, device) for device in devices if not _is_in_use(nvml, device)]
    finally:
        nvml.nvmlShutdown()


def _device(nvml: Library, index: int) -> ctypes.c_void_p:
    device = ctypes.c_void_p()
    code = nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(device))
    _must(code, "nvmlDeviceGetHandleByIndex_v2")
    return device


def _uuid(nvml: Library, device: ctypes.c_void_p) -> str:
    text = ctypes.create_string_buffer(_UUID_BYTES)
    _must(nvml.nvmlDeviceGetUUID(device, text, ctypes.c_uint(_UUID_BYTES)), "nvmlDeviceGetUUID")
    return text.value.decode("ascii")


def _is_in_use(nvml: Library, device: ctypes.c_void_p) -> bool:
    # Asked with no room for the list: only whether there is anything to list.
    count = ctypes.c_uint(0)
    code = nvml.nvmlDeviceGetComputeRunningProcesses_v3(device, ctypes.byref(count), None)
    if code == _INSUFFICIENT_SIZE:
        return True
    _must(code, "nvmlDeviceGetComputeRunningProcesses_v3")
    return count.value > 0


def _must(code: int, call: str) -> None:
    if code != _SUCCESS:
        raise NoGpus(f"the NVIDIA driver does not tell which GPUs there are: {call} gave {code}")
