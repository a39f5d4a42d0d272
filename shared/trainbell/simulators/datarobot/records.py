"""What the simulated DataRobot holds, and how each thing is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Any

from trainbell.simulators.datarobot.work import Work

OWNER = "owner@example.com"


@dataclass(slots=True, kw_only=True)
class File:
    path: str
    content: bytes
    created_at: datetime
    id: str = field(default_factory=lambda: token_hex(12))
    origin: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Version:
    """`given`: the other documented fields as they are shown. `assigning`: its training data."""

    model_id: str
    major: int
    minor: int
    created_at: datetime
    files: dict[str, File] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    training_data: dict[str, Any] | None = None
    holdout_data: dict[str, Any] | None = None
    assigning: Work | None = None
    build: Work | None = None
    conversions: list[Conversion] = field(default_factory=list)
    impact: Work | None = None
    impact_rows: int | None = None
    id: str = field(default_factory=lambda: token_hex(12))

    @property
    def label(self) -> str:
        return f"{self.major}.{self.minor}"

    def needs_build(self) -> bool:
        return "requirements.txt" in self.files


@dataclass(slots=True, kw_only=True)
class Model:
    """`given`: the documented fields that the caller may set."""

    created_at: datetime
    updated_at: datetime
    given: dict[str, Any]
    versions: list[Version] = field(default_factory=list)
    deployments: int = 0
    training_data: dict[str, Any] | None = None
    assigning: Work | None = None
    tests: list[Test] = field(default_factory=list)
    roles: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {OWNER: {"role": "OWNER", "canShare": True}}
    )
    id: str = field(default_factory=lambda: token_hex(12))

    @property
    def at_versions(self) -> bool:
        return bool(self.given.get("isTrainingDataForVersionsPermanentlyEnabled"))


@dataclass(slots=True, kw_only=True)
class Test:
    model: Model
    version: Version
    work: Work
    given: dict[str, Any]
    configuration: dict[str, str]
    id: str = field(default_factory=lambda: token_hex(12))
    image_id: str = field(default_factory=lambda: token_hex(12))


@dataclass(slots=True, kw_only=True)
class Conversion:
    """`flags` replace its own: in progress, succeeded, should stop."""

    main_program: str
    work: Work
    should_stop: bool = False
    flags: tuple[bool | None, bool | None, bool] | None = None
    id: str = field(default_factory=lambda: token_hex(12))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    name: str
    rows: int = 100_000
    is_snapshot: bool = True
    is_deleted: bool = False
