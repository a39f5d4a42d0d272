"""An order: what was asked for. One value from the request to the service, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

MIN_INTERVAL_SECONDS = 5.0
MAX_INTERVAL_SECONDS = 900.0
DEFAULT_PROJECT = "default"


class WhenBusy(StrEnum):
    """What to do where the dataset or every slot of the connection is taken."""

    REFUSE = "refuse"
    WAIT = "wait"


class OnUnclear(StrEnum):
    """What to do where nobody can tell whether a lost start was taken, and a repeat would double.

    `WAIT`: settle for many minutes and several look-ups, then send it again. `ASK`: never send it
    again by itself; a person says so (`resend_job`), or cancels.
    """

    WAIT = "wait"
    ASK = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody asked for, checked and with its defaults filled in.

    `parameters` are in the provider's own form. `deadline_at`: when the job is to be cancelled or
    given up. The intervals, in seconds, bound the wait between two polls.
    """

    provider: str
    connection: str
    kind: str
    project: str = DEFAULT_PROJECT
    name: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    dataset: str | None = None
    model: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    deadline_at: datetime | None = None
    when_busy: WhenBusy = WhenBusy.REFUSE
    on_unclear: OnUnclear = OnUnclear.WAIT
    min_interval_seconds: float = MIN_INTERVAL_SECONDS
    max_interval_seconds: float = MAX_INTERVAL_SECONDS
