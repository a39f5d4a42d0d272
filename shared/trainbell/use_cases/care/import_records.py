"""Records of an export become records here: each once, whatever is repeated, none overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job
from trainbell.domain.outbox import OutboxEntry
from trainbell.errors import Problem
from trainbell.ports import History, IdempotencyToken
from trainbell.use_cases.care.import_jobs import JobImport
from trainbell.use_cases.care.import_settings import SettingImport
from trainbell.use_cases.care.records import OF_JOBS, SETTINGS, Record, naive_times, read_record
from trainbell.use_cases.ground.problems import problems_of
from trainbell.use_cases.ground.services import Services


class Arrival(StrEnum):
    """Whose the jobs are that have not ended. `moved`: the old installation has let go of them.
    `copy`: it goes on with them; they are kept here and left alone. `take_over`: it is gone, and
    what it did since is looked up."""

    MOVED = "moved"
    COPY = "copy"
    TAKE_OVER = "take_over"


class OnDifference(StrEnum):
    """What to do with a setting that is stored here, too, with other contents."""

    REFUSE = "refuse"
    KEEP = "keep"
    REPLACE = "replace"


@dataclass(frozen=True, kw_only=True)
class ImportOrder:
    """`connections`: those that come with other records of the same export. `check_only`: say what
    is wrong and store nothing."""

    records: Sequence[Record]
    arrival: Arrival
    on_difference: OnDifference = OnDifference.REFUSE
    connections: frozenset[str] = frozenset()
    check_only: bool = False


@dataclass(slots=True)
class ImportReport:
    """How many records were (or would be) stored, and how many stood here already."""

    stored: int = 0
    same: int = 0
    problems: list[Problem] = field(default_factory=list)

    def count(self, is_new: bool) -> None:
        self.stored += is_new
        self.same += not is_new


def import_records(services: Services, order: ImportOrder) -> ImportReport:
    """Check all of these records; where none has a problem, store them, unless only asked to check.

    Records come in the order of an export. A repeat stores what is missing and changes nothing.

    Raises:
        StoreUnavailable, StoreFull: a part may be stored; send the same again.
    """
    report = ImportReport()
    read = [_read(number, each, report) for number, each in enumerate(order.records)]
    settings = SettingImport(services, order.arrival == Arrival.COPY, order.on_difference.value)
    jobs = JobImport(services, order.arrival.value, order.connections)
    for number, (record, value) in enumerate(zip(order.records, read, strict=True)):
        if value is None:
            continue
        found = (
            settings.problems(value) if record.kind in SETTINGS else jobs.problems(record.of, value)
        )
        report.problems += [Problem(_path(number, each.path), each.message) for each in found]
    if report.problems:
        return report
    for record, value in zip(order.records, read, strict=True):
        if record.kind in SETTINGS:
            report.count(settings.store(value, check_only=order.check_only))
        else:
            report.count(_store(jobs, record.of, value, order.check_only))
    if not order.check_only:
        jobs.flush()
    return report


def _store(jobs: JobImport, of: str, value: Any, check_only: bool) -> bool:
    if check_only:
        return not jobs.is_here(of)
    match value:
        case Job():
            return jobs.store(value)
        case JobEvent():
            return jobs.keep(of, History(events=(value,)))
        case OutboxEntry():
            return jobs.keep(of, History(entries=(value,)))
        case IdempotencyToken():
            return jobs.keep(of, History(tokens=(value,)))
    raise AssertionError(f"a kind of record that nobody stores: {type(value)}")


def _read(number: int, record: Record, report: ImportReport) -> Any:
    """None, with its problems in the report, where it cannot be read."""
    kind = SETTINGS.get(record.kind) or OF_JOBS.get(record.kind)
    if kind is None:
        message = f"this Trainbell knows no records of the kind {record.kind!r}"
        report.problems.append(Problem(_path(number, "kind"), message))
        return None
    try:
        value = read_record(record, kind)
    except ValidationError as error:
        report.problems += problems_of(error, _path(number, "body"))
        return None
    for path in naive_times(value, _path(number, "body")):
        report.problems.append(Problem(path, "must be a time with a zone"))
    whose = {Job: "id", JobEvent: "job_id"}.get(kind)
    belongs = getattr(value, whose) if whose else getattr(value, "name", record.of)
    if isinstance(value, OutboxEntry):
        belongs = value.event.job_id
    if belongs != record.of:
        report.problems.append(Problem(_path(number, "of"), f"the record is of {belongs!r}"))
        return None
    return value


def _path(number: int, rest: str) -> str:
    return f"records.{number}.{rest}"
