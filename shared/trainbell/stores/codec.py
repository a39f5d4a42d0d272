"""Domain objects to JSON and back, the same for every store.

Fields that a newer minor version added are ignored, fields that an older one lacked get their
defaults: a rolling deploy reads both.
"""

from __future__ import annotations

from pydantic import TypeAdapter

from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job
from trainbell.domain.outbox import OutboxEntry
from trainbell.domain.settings import ChannelConfig, ConfigRecord, Connection, Schedule

_JOB: TypeAdapter[Job] = TypeAdapter(Job)
_EVENT: TypeAdapter[JobEvent] = TypeAdapter(JobEvent)
_ENTRY: TypeAdapter[OutboxEntry] = TypeAdapter(OutboxEntry)
_CONFIG: dict[type[ConfigRecord], TypeAdapter[ConfigRecord]] = {
    kind: TypeAdapter(kind) for kind in (Connection, ChannelConfig, Schedule)
}


def dump_job(job: Job) -> bytes:
    return _JOB.dump_json(job, exclude_defaults=True)


def load_job(document: bytes | str) -> Job:
    return _JOB.validate_json(document)


def dump_event(event: JobEvent) -> bytes:
    return _EVENT.dump_json(event)


def load_event(document: bytes | str) -> JobEvent:
    return _EVENT.validate_json(document)


def dump_entry(entry: OutboxEntry) -> bytes:
    return _ENTRY.dump_json(entry)


def load_entry(document: bytes | str) -> OutboxEntry:
    return _ENTRY.validate_json(document)


def dump_config(record: ConfigRecord) -> bytes:
    return _CONFIG[type(record)].dump_json(record)


def load_config(kind: type[ConfigRecord], document: bytes | str) -> ConfigRecord:
    return _CONFIG[kind].validate_json(document)
