"""What of Trainbell's environment a command may see, and which program its first word means.

An allow-list: Trainbell's environment may hold secrets under any name (`env:NAME` references), so
what is not known to be harmless does not pass.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

PASSED_NAMES = frozenset(
    {
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "PATH",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "TERM",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "DYLD_FALLBACK_LIBRARY_PATH",
        "PYTHONPATH",
        "PYTHONHASHSEED",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "CONDA_DEFAULT_ENV",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "HF_HOME",
        "TORCH_HOME",
        "KERAS_HOME",
        "SCIKIT_LEARN_DATA",
    }
)
PASSED_PREFIXES = (
    "LC_",
    "XDG_",
    "CUDA_",
    "NVIDIA_",
    "NCCL_",
    "ROCR_",
    "HIP_",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "NUMEXPR_",
    "VECLIB_",
)
PROGRESS_FILE_VARIABLE = "TRAINBELL_PROGRESS_FILE"
JOB_ID_VARIABLE = "TRAINBELL_JOB_ID"


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
    the one that Trainbell runs in, with its packages. `asked`, the job's own, wins over what
    passes, but for the two variables that belong to Trainbell.
    """
    wanted = PASSED_NAMES.union(also_pass)
    passed = {
        name: value
        for name, value in own.items()
        if name in wanted or name.startswith(PASSED_PREFIXES)
    }
    environment = {"PYTHONUNBUFFERED": "1", **passed, **(asked or {})}
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
