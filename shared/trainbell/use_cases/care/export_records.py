"""Everything that is stored, page by page, so that an export of any size needs little memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job
from trainbell.domain.moving import moved_away
from trainbell.errors import NotFound, RecordUnreadable
from trainbell.ports import JobQuery
from trainbell.use_cases.care.records import SETTINGS, Record, record_of
from trainbell.use_cases.ground.departure import departure
from trainbell.use_cases.ground.recording import record
from trainbell.use_cases.ground.services import Services

PAGE_BYTES = 512 * 1024
"""A page ends with the record that reaches this. Lambda gives an answer of 6 MB at most."""

_SETTINGS_AT_ONCE = 10
_JOBS_AT_ONCE = 20
_EVENTS_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where an export goes on. `setting`: the kind, behind `cursor`. Then, without it, the jobs of
    `project` behind `cursor` and behind the job `after`; of the job `within`, the events behind
    `events`."""

    setting: str | None = None
    project: str | None = None
    cursor: str | None = None
    after: str | None = None
    within: str | None = None
    events: str | None = None


@dataclass(slots=True)
class ExportPage:
    """`unreadable` names what cannot be read and is left out. `has_moved`: this installation has
    departed, and its jobs belong to whoever imports them."""

    has_moved: bool
    records: list[Record] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    next: Position | None = None
    size: int = 0

    @property
    def is_full(self) -> bool:
        return self.size >= PAGE_BYTES

    def add(self, kind: str, of: str, stored: object) -> None:
        made = record_of(kind, of, stored)
        self.records.append(made)
        self.size += len(made.model_dump_json())


def export_records(
    services: Services, position: Position | None = None, projects: Sequence[str] = ()
) -> ExportPage:
    """The next page; the first, where no position is given. `projects`: more than are known.

    A job comes as it was at one moment, with its events up to then. Where this installation has
    departed, each job that is watched is marked as it is read (`moved_away`): from then on it is
    the importer's. What changes between two pages is in the export or not, but never in part.

    Raises:
        InputInvalid: the position is of another installation.
        StoreUnavailable, StoreFull: ask for the same page again.
    """
    page = ExportPage(has_moved=departure(services) is not None)
    at: Position | None = position or Position(setting=next(iter(SETTINGS)))
    while at is not None and not page.is_full:
        if at.setting is not None and at.setting in SETTINGS:
            at = _settings(services, page, at, at.setting)
        else:
            at = _jobs(services, page, at, projects)
    page.next = at
    return page


def _settings(services: Services, page: ExportPage, at: Position, kind: str) -> Position:
    kinds = list(SETTINGS)
    found = services.store.list_config(SETTINGS[kind], limit=_SETTINGS_AT_ONCE, cursor=at.cursor)
    for each in found.items:
        page.add(kind, each.name, each)
    page.unreadable += [f"{kind} {name}" for name in found.unreadable]
    if found.next_cursor is not None:
        return Position(setting=kind, cursor=found.next_cursor)
    later = kinds[kinds.index(kind) + 1 :]
    return Position(setting=later[0]) if later else Position()


def _jobs(
    services: Services, page: ExportPage, at: Position, projects: Sequence[str]
) -> Position | None:
    """Some jobs of a project; then the next project's; None behind the last."""
    known = sorted({*services.store.projects(), *projects})
    project = at.project
    if project is None:
        return Position(project=known[0]) if known else None
    query = JobQuery(project=project, limit=_JOBS_AT_ONCE, cursor=at.cursor)
    found = services.store.list(query)
    page.unreadable += [f"job {job_id}" for job_id in found.unreadable]
    ids = [job.id for job in found.items]
    done = ids.index(at.after) + 1 if at.after in ids else 0
    for job_id in ids[done:]:
        inside = at.events if at.within == job_id else None
        events = _job(services, page, job_id, inside)
        if events is not None:
            return replace(at, within=job_id, events=events)
        at = replace(at, after=job_id, within=None, events=None)
        if page.is_full:
            return at
    if found.next_cursor is not None:
        return Position(project=project, cursor=found.next_cursor)
    later = [name for name in known if name > project]
    return Position(project=later[0]) if later else None


def _job(services: Services, page: ExportPage, job_id: str, events: str | None) -> str | None:
    """All of a job, or, where the page is full in the middle, where its events go on."""
    job = _read(services, page, job_id)
    if job is None:
        return None
    while True:
        found = services.store.events(job.id, limit=_EVENTS_AT_ONCE, cursor=events)
        page.unreadable += found.unreadable
        for event in _up_to(job, found.items):
            page.add("event", job.id, event)
        events = found.next_cursor
        if events is None or (found.items and found.items[-1].sequence >= job.event_count):
            break
        if page.is_full:
            return events
    # Read behind the job: what was told meanwhile is not told again.
    for entry in services.store.entries(job.id):
        if entry.event.sequence <= job.event_count:
            page.add("entry", job.id, replace(entry, claim=0))
    for token in services.store.tokens(job.id):
        page.add("token", job.id, token)
    page.add("job", job.id, job)
    return None


def _read(services: Services, page: ExportPage, job_id: str) -> Job | None:
    """The job, marked where this installation has departed. None: forgotten, or unreadable."""
    try:
        job = services.store.get(job_id)
    except NotFound:
        return None
    except RecordUnreadable:
        page.unreadable.append(f"job {job_id}")
        return None
    if not page.has_moved:
        return job
    now = services.clock.now()
    return record(services, job, lambda each: moved_away(each, now))[0]


def _up_to(job: Job, events: Sequence[JobEvent]) -> Sequence[JobEvent]:
    return [event for event in events if event.sequence <= job.event_count]
