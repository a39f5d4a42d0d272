"""What an export consists of: one JSON object for each stored record, the same for every store.

A new kind of setting is exported by itself, because it is one of `ConfigRecord`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job
from trainbell.domain.outbox import OutboxEntry
from trainbell.domain.settings import ConfigRecord, Departure
from trainbell.ports import IdempotencyToken

FORMAT = 1
"""Of the records. A change that an older Trainbell would misread makes it one more."""

Stored = TypeVar("Stored")

_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}

_STAYS = (Departure,)
"""What is true of one installation only."""

SETTINGS: Mapping[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in get_args(ConfigRecord) if kind not in _STAYS
}
OF_JOBS: Mapping[str, type[Any]] = {
    "event": JobEvent,
    "entry": OutboxEntry,
    "token": IdempotencyToken,
    "job": Job,
}
"""In the order in which an export has them. A job comes last: where it is stored, all is."""


class Record(BaseModel):
    """One record: its kind, whose it is, and its fields as they are stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field(max_length=64)
    of: str = Field(max_length=128, description="The job that it belongs to, or a setting's name")
    body: dict[str, Any]


def record_of(kind: str, of: str, stored: object) -> Record:
    """Secrets are not in it: what is stored has references only."""
    known = SETTINGS.get(kind) or OF_JOBS[kind]
    body = _adapter(known).dump_python(stored, mode="json", exclude_defaults=True)
    body.pop("revision", None)
    return Record(kind=kind, of=of, body=body)


def read_record(record: Record, kind: type[Stored]) -> Stored:
    """Raises pydantic's ValidationError."""
    found: Stored = _adapter(kind).validate_python(record.body)
    return found


def naive_times(stored: object, path: str = "body") -> Iterator[str]:
    """Where a time has no zone: nothing here could be compared with it."""
    if isinstance(stored, datetime) and stored.tzinfo is None:
        yield path
    elif is_dataclass(stored):
        for each in fields(stored):
            yield from naive_times(getattr(stored, each.name), f"{path}.{each.name}")
    elif isinstance(stored, tuple):
        for number, each in enumerate(stored):
            yield from naive_times(each, f"{path}.{number}")


def _adapter(kind: Any) -> TypeAdapter[Any]:
    made = _ADAPTERS.get(kind)
    if made is None:
        made = _ADAPTERS[kind] = TypeAdapter(kind)
    return made
