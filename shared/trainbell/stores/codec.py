"""Domain objects to JSON and back, the same for every store.

Fields that a newer minor version added are ignored, fields that an older one lacked get their
defaults: a rolling deploy reads both. What cannot be read at all raises RecordUnreadable.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job
from trainbell.domain.outbox import OutboxEntry
from trainbell.domain.settings import ConfigRecord
from trainbell.errors import RecordUnreadable

Stored = TypeVar("Stored")

_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: type[Stored]) -> TypeAdapter[Stored]:
    """Made when first used: a function that polls never needs those of channels and schedules."""
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        adapter = _ADAPTERS[kind] = TypeAdapter(kind)
    return adapter


def _load(kind: type[Stored], document: bytes | str, record: str) -> Stored:
    try:
        return _adapter(kind).validate_json(document)
    except ValidationError as exc:
        # Where and what kind of fault, never the value: it may be a secret.
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "as a whole"
        raise RecordUnreadable(record, f"{first['type']} ({where})") from exc


def dump_job(job: Job) -> bytes:
    return _adapter(Job).dump_json(job, exclude_defaults=True)


def load_job(document: bytes | str, job_id: str) -> Job:
    return _load(Job, document, f"job {job_id}")


def dump_event(event: JobEvent) -> bytes:
    return _adapter(JobEvent).dump_json(event)


def load_event(document: bytes | str, job_id: str, sequence: int) -> JobEvent:
    return _load(JobEvent, document, f"event {sequence} of job {job_id}")


def dump_entry(entry: OutboxEntry) -> bytes:
    return _adapter(OutboxEntry).dump_json(entry)


def load_entry(document: bytes | str, entry_id: str) -> OutboxEntry:
    return _load(OutboxEntry, document, f"outbox entry {entry_id}")


def dump_config(record: ConfigRecord) -> bytes:
    return _adapter(type(record)).dump_json(record, exclude={"revision"})


def load_config(kind: type[ConfigRecord], document: bytes | str, name: str) -> ConfigRecord:
    return cast("ConfigRecord", _read_config(cast("Any", kind), document, name))


# Settings are read at every step of every job, and change seldom. They are immutable.
@lru_cache(maxsize=256)
def _read_config(kind: Any, document: bytes | str, name: str) -> Any:
    record = _load(kind, document, f"{kind.__name__} {name}")
    return replace(record, revision=revision_of(document))


def revision_of(document: bytes | str) -> str:
    """A digest of what is stored: it needs no counter, and none that a deletion would reset."""
    data = document.encode() if isinstance(document, str) else document
    return hashlib.sha256(data).hexdigest()[:16]
