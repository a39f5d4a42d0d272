"""What of an environment a command may see, and which program its first word means.

A list of exact names: an environment may hold secrets under any name (`env:NAME` references, or
`NVIDIA_API_KEY` beside `NVIDIA_VISIBLE_DEVICES`), so what is not known to be harmless stays out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

PASSED_NAMES = frozenset(
    """
    HOME USER LOGNAME SHELL PATH TMPDIR TERM TZ
    LANG LANGUAGE LC_ALL LC_ADDRESS LC_COLLATE LC_CTYPE LC_IDENTIFICATION LC_MEASUREMENT
    LC_MESSAGES LC_MONETARY LC_NAME LC_NUMERIC LC_PAPER LC_TELEPHONE LC_TIME
    XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_RUNTIME_DIR
    LD_LIBRARY_PATH DYLD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH
    PYTHONPATH PYTHONHASHSEED VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV
    SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE
    HF_HOME TORCH_HOME KERAS_HOME SCIKIT_LEARN_DATA
    CUDA_HOME CUDA_PATH CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER CUDA_LAUNCH_BLOCKING
    CUDA_MODULE_LOADING CUDA_CACHE_PATH CUDA_CACHE_DISABLE CUDA_CACHE_MAXSIZE
    CUDA_DEVICE_MAX_CONNECTIONS
    NVIDIA_VISIBLE_DEVICES NVIDIA_DRIVER_CAPABILITIES NVIDIA_REQUIRE_CUDA NVIDIA_TF32_OVERRIDE
    NCCL_DEBUG NCCL_DEBUG_SUBSYS NCCL_SOCKET_IFNAME NCCL_IB_DISABLE NCCL_IB_HCA NCCL_P2P_DISABLE
    NCCL_P2P_LEVEL NCCL_SHM_DISABLE NCCL_NET_GDR_LEVEL NCCL_ALGO NCCL_PROTO
    ROCR_VISIBLE_DEVICES HIP_VISIBLE_DEVICES
    OMP_NUM_THREADS OMP_DYNAMIC OMP_SCHEDULE OMP_PROC_BIND OMP_PLACES OMP_WAIT_POLICY
    OMP_STACKSIZE
    MKL_NUM_THREADS MKL_DYNAMIC MKL_DOMAIN_NUM_THREADS MKL_THREADING_LAYER MKL_SERVICE_FORCE_INTEL
    OPENBLAS_NUM_THREADS OPENBLAS_CORETYPE
    NUMEXPR_NUM_THREADS NUMEXPR_MAX_THREADS VECLIB_MAXIMUM_THREADS
    """.split()  # noqa: SIM905 - read as a table
)
PROGRESS_FILE_VARIABLE = "TRAINBELL_PROGRESS_FILE"
JOB_ID_VARIABLE = "TRAINBELL_JOB_ID"


def passing(own: Mapping[str, str], also: Iterable[str] = ()) -> dict[str, str]:
    """What of an environment passes by itself, and what was named besides."""
    wanted = PASSED_NAMES.union(also)
    return {name: value for name, value in own.items() if name in wanted}


def environment_for(
    own: Mapping[str, str],
    *,
    interpreter: str,
    also_pass: Iterable[str] = (),
    asked: Mapping[str, str] | None = None,
    job_id: str,
    progress_file: Path,
) -> dict[str, str]:
    """The command's whole environment.

    `own` is Trainbell's. The directory of `interpreter` comes first on PATH, so that `python` is
    the one that Trainbell runs in, with its packages; unless the job brings a PATH of its own.
    `asked`, the job's own, wins over what passes, but for the two variables that belong to
    Trainbell.
    """
    asked = asked or {}
    environment = {"PYTHONUNBUFFERED": "1", **passing(own, also_pass), **asked}
    if "PATH" not in asked:
        path = environment.get("PATH") or os.defpath
        environment["PATH"] = f"{Path(interpreter).parent}{os.pathsep}{path}"
    environment[JOB_ID_VARIABLE] = job_id
    environment[PROGRESS_FILE_VARIABLE] = str(progress_file)
    return environment


def program_for(word: str, *, path: str, cwd: Path) -> str | None:
    """The absolute path of the program that `word` names, as a shell in `cwd` would find it.

    None where there is none, or where it may not be executed.
    """
    if "/" in word:
        candidate = cwd / word
        return str(candidate) if candidate.is_file() and os.access(candidate, os.X_OK) else None
    return shutil.which(word, path=os.pathsep.join(_absolute(path, cwd)))


def _absolute(path: str, cwd: Path) -> Iterable[str]:
    return (str(cwd / entry) for entry in path.split(os.pathsep) if entry)
