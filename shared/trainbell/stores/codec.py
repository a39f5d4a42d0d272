"""Domain objects to JSON and back, the same for every store.

Fields that a newer minor version added are ignored, fields that an older one lacked get their
defaults: a rolling deploy reads both.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job
from trainbell.domain.outbox import OutboxEntry
from trainbell.domain.settings import ConfigRecord

Stored = TypeVar("Stored")

_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: type[Stored]) -> TypeAdapter[Stored]:
    """Made when first used: a function that polls never needs those of channels and schedules."""
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        adapter = _ADAPTERS[kind] = TypeAdapter(kind)
    return adapter


def dump_job(job: Job) -> bytes:
    return _adapter(Job).dump_json(job, exclude_defaults=True)


def load_job(document: bytes | str) -> Job:
    return _adapter(Job).validate_json(document)


def dump_event(event: JobEvent) -> bytes:
    return _adapter(JobEvent).dump_json(event)


def load_event(document: bytes | str) -> JobEvent:
    return _adapter(JobEvent).validate_json(document)


def dump_entry(entry: OutboxEntry) -> bytes:
    return _adapter(OutboxEntry).dump_json(entry)


def load_entry(document: bytes | str) -> OutboxEntry:
    return _adapter(OutboxEntry).validate_json(document)


def dump_config(record: ConfigRecord) -> bytes:
    return _adapter(type(record)).dump_json(record)


def load_config(kind: type[ConfigRecord], document: bytes | str) -> ConfigRecord:
    return cast("ConfigRecord", _read_config(cast("Any", kind), document))


# Settings are read at every step of every job, and change seldom. They are immutable.
@lru_cache(maxsize=256)
def _read_config(kind: Any, document: bytes | str) -> Any:
    return _adapter(kind).validate_json(document)
