"""What a local job may ask for, and what its connection may set."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_COMMAND_CHARACTERS = 65_536
MAX_ENVIRONMENT_CHARACTERS = 65_536
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
RESERVED_PREFIX = "TRAINBELL_"


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    return text


def _free_variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError("must be a variable name: letters, digits and _, not a digit first")
    if name.startswith(RESERVED_PREFIX):
        raise ValueError(f"names that begin with {RESERVED_PREFIX} are Trainbell's own")
    return name


def _runnable(command: list[str]) -> list[str]:
    if not command[0].strip():
        raise ValueError("the first word must name a program")
    if sum(map(len, command)) > MAX_COMMAND_CHARACTERS:
        raise ValueError(f"must not be longer than {MAX_COMMAND_CHARACTERS} characters in all")
    return command


def _absolute(path: str) -> str:
    if not Path(path).is_absolute():
        raise ValueError("must be an absolute path")
    return path


def _bounded(environment: dict[str, str]) -> dict[str, str]:
    if sum(len(k) + len(v) for k, v in environment.items()) > MAX_ENVIRONMENT_CHARACTERS:
        raise ValueError(f"must not be longer than {MAX_ENVIRONMENT_CHARACTERS} characters in all")
    return environment


Word = Annotated[str, Field(max_length=16_384), AfterValidator(_without_nul)]
Directory = Annotated[
    str, Field(max_length=4096), AfterValidator(_without_nul), AfterValidator(_absolute)
]
Variable = Annotated[str, AfterValidator(_free_variable)]
Gpu = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]{0,99}$")]


class TrainParameters(BaseModel):
    """One training: a command, where and with what it runs."""

    model_config = ConfigDict(extra="forbid", strict=True)

    command: Annotated[list[Word], Field(min_length=1, max_length=256), AfterValidator(_runnable)]
    """Program and arguments; no shell reads them. `python` is Trainbell's own interpreter."""
    cwd: Directory | None = None
    """Working directory, absolute. Without it, the one that Trainbell was started in."""
    env: Annotated[dict[Variable, Word], Field(max_length=256), AfterValidator(_bounded)] = Field(
        default_factory=dict
    )
    """Environment variables for this job, on top of those that pass from Trainbell's own."""
    inherit: bool = True
    """Whether anything of Trainbell's own environment passes; not where `env` has it all."""
    passed: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    """Names variables that `trainbell run --env` has left beside the runs, for secrets too."""
    gpus: int = Field(default=0, ge=0, le=64)
    """So many free GPUs of this machine; they are this job's alone, in CUDA_VISIBLE_DEVICES."""
    grace_seconds: float = Field(default=10.0, ge=0.0, le=3600.0, allow_inf_nan=False, strict=False)
    """On a cancel, the time between SIGTERM and SIGKILL."""


class LocalOptions(BaseModel):
    """Settings of a connection to this machine."""

    model_config = ConfigDict(extra="forbid", strict=True)

    pass_environment: list[Variable] = Field(default_factory=list, max_length=256)
    """Further variables of Trainbell's own environment that its jobs may see."""
    gpus: Annotated[list[Gpu], Field(max_length=64)] | None = None
    """The GPUs that jobs may take, as CUDA_VISIBLE_DEVICES names them; NVML tells if none."""
    log_cap_mb: float = Field(default=64.0, ge=0.1, le=1e6, allow_inf_nan=False, strict=False)
    """A log that outgrows this keeps its head and its tail."""
    keep_logs_days: float = Field(default=30.0, gt=0, le=36500, allow_inf_nan=False, strict=False)
    keep_logs_mb: float = Field(default=10_000.0, ge=0, le=1e9, allow_inf_nan=False, strict=False)
    """Logs of ended runs are removed when older than this, the oldest also when all are more."""
