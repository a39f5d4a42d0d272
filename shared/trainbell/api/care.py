"""Calls for the care of the data: export, import, moving out, retention, forgetting people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from trainbell.api.calls import ApiCall, ApiReply, reply
from trainbell.api.endpoints import Resource
from trainbell.api.reading import QueryModel, read_query
from trainbell.errors import InputInvalid, Problem
from trainbell.use_cases.care.depart import depart, take_back
from trainbell.use_cases.care.export_records import Position, export_records
from trainbell.use_cases.care.forget_person import forget_person
from trainbell.use_cases.care.import_records import (
    Arrival,
    ImportOrder,
    OnDifference,
    import_records,
)
from trainbell.use_cases.care.records import FORMAT, Record
from trainbell.use_cases.ground.problems import problems_of
from trainbell.version import __version__
from trainbell.views.view import View

care = Resource("care")

RECORDS_AT_ONCE = 500
CONNECTIONS_AT_MOST = 10_000

ProjectName = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExportInput(_Input):
    """Where to go on (`next` of the page before), and projects to list besides those known."""

    position: dict[str, str | None] | None = None
    projects: list[ProjectName] = Field(default_factory=list, max_length=100)


class ExportView(View):
    """`next` is null on the last page. `unreadable`: what is left out, because nobody can read
    it. `has_moved`: this installation has departed; the jobs are the importer's."""

    format: int
    version: str
    has_moved: bool
    records: list[dict[str, Any]]
    unreadable: list[str]
    next: dict[str, str] | None


class ImportInput(_Input):
    """Records as an export gave them, in its order."""

    format: int = Field(ge=1)
    arrival: Arrival
    records: list[Record] = Field(max_length=RECORDS_AT_ONCE)
    on_difference: OnDifference = OnDifference.REFUSE
    connections: list[str] = Field(default_factory=list, max_length=CONNECTIONS_AT_MOST)
    check_only: bool = False


class ImportView(View):
    """How many records were stored (or would be), and how many stood here already."""

    stored: int
    same: int


class DepartureView(View):
    begun_at: datetime | None
    by: str


class BackQuery(QueryModel):
    """Where to go on: as the page before said."""

    project: ProjectName | None = None
    cursor: str | None = Field(None, max_length=2048)


class BackView(View):
    """How many jobs are watched here again, and where to go on; null at the end."""

    taken_back: int
    next_project: str | None
    next_cursor: str | None


@care.call("POST", "/v1/export", body=ExportInput, returns={200: ExportView}, refuses=(422,))
def export_page(call: ApiCall) -> ApiReply:
    """The next page of everything that is stored. Secrets are not in it."""
    given = _read(ExportInput, call)
    known = Position.__dataclass_fields__.keys()
    fields = {name: text for name, text in (given.position or {}).items() if name in known}
    position = Position(**fields) if given.position else None
    page = export_records(call.services, position, given.projects)
    following = None
    if page.next is not None:
        texts = ((name, getattr(page.next, name)) for name in known)
        following = {name: text for name, text in texts if text is not None}
    return reply(
        ExportView(
            format=FORMAT,
            version=__version__,
            has_moved=page.has_moved,
            records=[record.model_dump() for record in page.records],
            unreadable=page.unreadable,
            next=following,
        )
    )


@care.call(
    "POST", "/v1/import", body=ImportInput, returns={200: ImportView}, refuses=(413, 415, 422, 507)
)
def import_page(call: ApiCall) -> ApiReply:
    """Store records of an export: all of them, or none where one has a problem. A repeat changes
    nothing."""
    given = _read(ImportInput, call)
    if given.format > FORMAT:
        newer = f"a newer Trainbell wrote this (format {given.format}; this one reads {FORMAT})"
        raise InputInvalid([Problem("format", newer)])
    order = ImportOrder(
        records=given.records,
        arrival=given.arrival,
        on_difference=given.on_difference,
        connections=frozenset(given.connections),
        check_only=given.check_only,
    )
    report = import_records(call.services, order)
    if report.problems:
        raise InputInvalid(report.problems)
    return reply(ImportView(stored=report.stored, same=report.same))


@care.call("POST", "/v1/departure", returns={200: DepartureView})
def begin_departure(call: ApiCall) -> ApiReply:
    """Begin to move out: nothing is started or told here any more. Its jobs are watched until they
    are exported."""
    begun = depart(call.services, by=call.by)
    return reply(DepartureView(begun_at=begun.begun_at, by=begun.by))


@care.call("DELETE", "/v1/departure", query=BackQuery, returns={200: BackView})
def end_departure(call: ApiCall) -> ApiReply:
    """Take back what has not been imported anywhere: watch it here again, a page at a time."""
    query = read_query(BackQuery, call.request.query)
    back = take_back(call.services, query.project, query.cursor)
    return reply(
        BackView(taken_back=back.jobs, next_project=back.next_project, next_cursor=back.next_cursor)
    )


class ForgetPersonInput(_Input):
    """`subject` as `by` in jobs and events shows it. The rest as the page before said."""

    subject: str
    pseudonym: str | None = Field(None, max_length=64)
    project: ProjectName | None = None
    cursor: str | None = Field(None, max_length=2048)


class ForgottenView(View):
    """How many jobs of this page were changed. `next_project` is null at the end."""

    changed: int
    pseudonym: str
    unreadable: list[str]
    next_project: str | None
    next_cursor: str | None


@care.call(
    "POST",
    "/v1/forget-person",
    body=ForgetPersonInput,
    returns={200: ForgottenView},
    refuses=(422,),
)
def forget_page(call: ApiCall) -> ApiReply:
    """Put a pseudonym where a caller's id stands, in a page of jobs and all that stands beside
    them."""
    given = _read(ForgetPersonInput, call)
    done = forget_person(
        call.services,
        given.subject,
        pseudonym=given.pseudonym,
        project=given.project,
        cursor=given.cursor,
    )
    return reply(
        ForgottenView(
            changed=done.jobs,
            pseudonym=done.pseudonym,
            unreadable=list(done.unreadable),
            next_project=done.next_project,
            next_cursor=done.next_cursor,
        )
    )


def _read(model: type[Any], call: ApiCall) -> Any:
    try:
        return model.model_validate(call.body)
    except ValidationError as error:
        raise InputInvalid(problems_of(error)) from error
