"""What a caller needs to use a simulated service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Each simulator's `ACCESS`: the secret that it takes, which opens nothing else, and the
    options that a connection to it must name."""

    secret: str
    options: Mapping[str, Any] = field(default_factory=dict)
