"""A person is forgotten: in every record, a pseudonym stands where the name stood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from trainbell.domain.events import JobEvent
from trainbell.domain.job import Job
from trainbell.domain.outbox import OutboxEntry
from trainbell.errors import InputInvalid, JobConflict, NotFound, Problem, RecordUnreadable
from trainbell.ports import History, JobQuery
from trainbell.use_cases.ground.recording import CONFLICTS_BEFORE_GIVING_UP
from trainbell.use_cases.ground.services import Services

SUBJECT_LENGTH_AT_MOST = 2048
PSEUDONYM = "forgotten-"

_JOBS_AT_ONCE = 20
_EVENTS_AT_ONCE = 100
_PSEUDONYM_BITS = 80
_NAMES_A_CALLER = ("by",)
"""The members of an event's data that may."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many jobs of this page were changed, and where to go on; `next_project` is None at the
    end. Give the same pseudonym with the next page."""

    jobs: int
    pseudonym: str
    unreadable: tuple[str, ...] = ()
    next_project: str | None = None
    next_cursor: str | None = None


def forget_person(
    services: Services,
    subject: str,
    *,
    pseudonym: str | None = None,
    project: str | None = None,
    cursor: str | None = None,
) -> Forgotten:
    """Replace a caller's id in jobs, events and what is told of them, page by page.

    The pseudonym is random, so that nobody can find the person by trying names; it is the same in
    all records, so that these still say that one person did it. What people wrote themselves (in
    names, tags, parameters) is not touched. What was told is told: receivers must forget, too.

    Raises:
        InputInvalid: no such id can be, or the cursor is of another list.
        JobConflict: a job was written by others all the time; ask for the same page again.
    """
    pseudonym = pseudonym or f"{PSEUDONYM}{services.random.getrandbits(_PSEUDONYM_BITS):020x}"
    problems = []
    if not subject.strip() or len(subject) > SUBJECT_LENGTH_AT_MOST:
        problems.append(Problem("subject", "must be the id of a caller, as jobs show it"))
    if subject.startswith(PSEUDONYM):
        problems.append(Problem("subject", "is a pseudonym already"))
    if not pseudonym.startswith(PSEUDONYM):
        problems.append(Problem("pseudonym", "is none that a page before gave"))
    if problems:
        raise InputInvalid(problems)
    known = services.store.projects()
    project = project if project is not None else next(iter(known), None)
    if project is None:
        return Forgotten(0, pseudonym)
    query = JobQuery(project=project, limit=_JOBS_AT_ONCE, cursor=cursor)
    page = services.store.list(query)
    names = {subject: pseudonym}
    count = sum(_in_job(services, job.id, names) for job in page.items)
    if page.next_cursor is not None:
        return Forgotten(count, pseudonym, page.unreadable, project, page.next_cursor)
    later = [name for name in known if name > project]
    return Forgotten(count, pseudonym, page.unreadable, later[0] if later else None)


def _in_job(services: Services, job_id: str, names: Mapping[str, str]) -> bool:
    for _ in range(CONFLICTS_BEFORE_GIVING_UP):
        try:
            job = services.store.get(job_id)
        except (NotFound, RecordUnreadable):
            return False
        changed, history = _renamed_job(job, names), _history(services, job, names)
        if changed == job and not history.events and not history.entries:
            return False
        try:
            services.store.rewrite(changed, history)
        except JobConflict:
            continue
        return True
    raise JobConflict(f"job {job_id} is written by many at once; nothing of it was changed")


def _history(services: Services, job: Job, names: Mapping[str, str]) -> History:
    """What of it names the person."""
    events: list[JobEvent] = []
    cursor = None
    while True:
        page = services.store.events(job.id, limit=_EVENTS_AT_ONCE, cursor=cursor)
        renamed = [_renamed_event(event, names) for event in page.items]
        events += [new for new, old in zip(renamed, page.items, strict=True) if new != old]
        cursor = page.next_cursor
        if cursor is None:
            break
    entries = [(_renamed_entry(each, names), each) for each in services.store.entries(job.id)]
    changed = tuple(new for new, old in entries if new != old)
    return History(events=tuple(events), entries=changed)


def _renamed_job(job: Job, names: Mapping[str, str]) -> Job:
    by, cancelled_by = job.origin.requested_by, job.cancel.requested_by
    return replace(
        job,
        origin=replace(job.origin, requested_by=names.get(by, by)),
        cancel=replace(job.cancel, requested_by=names.get(cancelled_by or "", cancelled_by)),
    )


def _renamed_event(event: JobEvent, names: Mapping[str, str]) -> JobEvent:
    named: dict[str, Any] = {
        key: names[event.data[key]]
        for key in _NAMES_A_CALLER
        if isinstance(event.data.get(key), str) and event.data[key] in names
    }
    return replace(event, data={**event.data, **named}) if named else event


def _renamed_entry(entry: OutboxEntry, names: Mapping[str, str]) -> OutboxEntry:
    event = _renamed_event(entry.event, names)
    return entry if event is entry.event else replace(entry, event=event)
