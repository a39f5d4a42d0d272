"""What people configure: connections, channels and schedules. All found by name.

`revision`, in each, names what was stored when it was read: every change gives another one. It is
empty in one that was never stored. Two are equal whatever their revisions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trainbell.domain.events import EventType
from trainbell.domain.order import DEFAULT_PROJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One account at a provider.

    `secret` is a reference (`env:NAME`, `file:/path`, `secretsmanager:NAME`, `ssm:NAME`), never the
    secret. `calls_per_minute`: rate budget shared by all its jobs; None has no limit.
    `max_active`: how many of its jobs may be at the service at once. `settle_seconds`: how long a
    start may take to appear at the service; None is the provider's word. `options`: the provider's
    own settings, checked against its model. `moved_at`: when it last began to lead elsewhere: to
    another URL, or with another secret or other options.
    """

    name: str
    provider: str
    base_url: str | None = None
    secret: str | None = None
    calls_per_minute: float | None = None
    max_active: int | None = None
    settle_seconds: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    moved_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    revision: str = field(default="", compare=False)

    @property
    def leads_to(self) -> str:
        """A digest of where it leads, and as whom: its URL, its reference to a secret, its options.
        It changes with them, and is the same again when they are changed back."""
        options = json.dumps(dict(self.options), sort_keys=True, default=str)
        place = "\n".join((self.provider, self.base_url or "", self.secret or "", options))
        return hashlib.sha256(place.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConfig:
    """Where to tell, and which events. `target`: a URL or ARN where that is no secret itself;
    `secret`: a reference to it where it is (a Slack webhook URL is a secret).
    `project` None tells of all projects."""

    name: str
    kind: str
    target: str | None = None
    secret: str | None = None
    events: tuple[EventType, ...] = (EventType.JOB_FINISHED,)
    project: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    revision: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When to start which job: `expression` is `rate(5 minutes)` or `cron(0 9 * * 1-5)` with the
    five classic fields, read in `time_zone`. `job` is the body of `POST /v1/jobs`."""

    name: str
    expression: str
    job: Mapping[str, Any]
    time_zone: str = "UTC"
    enabled: bool = True
    project: str = DEFAULT_PROJECT
    created_at: datetime | None = None
    updated_at: datetime | None = None
    next_due_at: datetime | None = None
    last_due_at: datetime | None = None
    last_job_id: str | None = None
    last_error: str | None = None
    revision: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """This installation's jobs have moved, or are moving, to another one: nothing is started and
    nothing told here. There is one at most, of this name."""

    name: str = "departure"
    begun_at: datetime | None = None
    by: str = ""
    revision: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how many days after its end a job of the project of this name is kept."""

    name: str
    days: int
    created_at: datetime | None = None
    updated_at: datetime | None = None
    revision: str = field(default="", compare=False)


ConfigRecord = Connection | ChannelConfig | Schedule | Departure | Retention
