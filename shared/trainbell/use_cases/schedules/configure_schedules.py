"""Schedules: checked whole, with the job they will start, before anything is stored."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from trainbell.domain.order import DEFAULT_PROJECT
from trainbell.domain.schedule_times import Once, next_due_of, parse_expression, parse_time_zone
from trainbell.domain.settings import Schedule
from trainbell.errors import InputInvalid, NotFound, Problem, TrainbellError
from trainbell.use_cases.ground.changing import change_setting, remove_setting, require_match
from trainbell.use_cases.ground.problems import problems_of
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.job_request import check_job_request
from trainbell.use_cases.schedules.scheduled_job import due_text, scheduled_body

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
NAMES_SHOWN = 20


class ScheduleInput(BaseModel):
    """What a schedule is made of. Its project is its job's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    expression: Annotated[str, StringConstraints(min_length=1, max_length=256)] = Field(
        description="rate(5 minutes), or cron(0 9 * * MON-FRI) with the five classic fields"
    )
    time_zone: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        "UTC", description="An IANA time zone, in which cron is read"
    )
    enabled: bool = Field(True, strict=True)
    job: dict[str, Any] = Field(description="The body of POST /v1/jobs; a deadline as a span")


def put_schedule(
    services: Services,
    name: str,
    body: Mapping[str, Any],
    *,
    if_match: Collection[str] | None = None,
) -> tuple[Schedule, bool]:
    """Create or replace a schedule. The bool says whether it is new.

    A rate keeps counting from the schedule's creation. A due time that passed before a change is
    not run by it. `if_match`: only where one of these revisions is stored.

    Raises:
        SettingChanged: none of the revisions in `if_match` is stored.
        InputInvalid: with every problem: of the name, the times, and the job (`job.parameters.x`).
        TrainbellError: the engine's clock did not take it; it is stored, says so, and is put anew
            by the next call.
    """
    now = services.clock.now()
    given = _check(services, name, body)

    def replaced(stored: Schedule | None) -> Schedule:
        schedule = replace(
            stored or Schedule(name=name, expression="", job={}, created_at=now),
            expression=given.expression,
            time_zone=given.time_zone,
            enabled=given.enabled,
            job=given.job,
            project=given.job.get("project", DEFAULT_PROJECT),
            updated_at=now,
            last_error=None,
        )
        return replace(schedule, next_due_at=next_due_of(schedule, now))

    put = change_setting(services, Schedule, name, replaced, if_match=if_match)
    assert put is not None  # noqa: S101 - `replaced` always gives one
    schedule, is_new = put
    try:
        services.scheduler.put(schedule)
    except TrainbellError as exc:
        error = f"not scheduled: {exc}"

        def note(stored: Schedule | None) -> Schedule | None:
            return None if stored is None else replace(stored, last_error=error)

        change_setting(services, Schedule, name, note)
        raise
    return schedule, is_new


def problems_of_schedule(services: Services, schedule: Schedule) -> Sequence[Problem]:  # noqa: ARG001
    """What `put_schedule` would find wrong with one that comes from elsewhere. Its job is checked
    when it is due: what it needs may come after it."""
    problems = []
    if not NAME.fullmatch(schedule.name):
        problems.append(Problem("body.name", "is no name of a schedule"))
    found = _problems_of_times(schedule.expression, schedule.time_zone)
    return [*problems, *(Problem(f"body.{each.path}", each.message) for each in found)]


def delete_schedule(
    services: Services, name: str, *, if_match: Collection[str] | None = None
) -> None:
    """Its jobs stay as they are.

    Raises:
        NotFound: naming the schedules that exist.
        SettingChanged: none of the revisions in `if_match` is stored.
    """
    stored = services.store.get_config(Schedule, name)
    require_match(Schedule, name, stored, if_match)
    if stored is None:
        raise NotFound(f"there is no schedule {name!r}; {_those_that_exist(services)}")
    # The clock first: a due time without its record does nothing, the reverse would go on silently.
    services.scheduler.delete(name)
    remove_setting(services, Schedule, name, if_match=if_match)


def _check(services: Services, name: str, body: Mapping[str, Any]) -> ScheduleInput:
    problems: list[Problem] = []
    given = None
    if not NAME.fullmatch(name):
        message = "1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit"
        problems.append(Problem("name", message))
    try:
        given = ScheduleInput.model_validate(body)
    except ValidationError as error:
        problems += problems_of(error)
    # Each part is judged by itself, so that all problems are told at once.
    wrong = {problem.path.split(".")[0] for problem in problems}
    if not wrong & {"expression", "time_zone"}:
        expression, time_zone = str(body["expression"]), str(body.get("time_zone", "UTC"))
        problems += _problems_of_times(expression, time_zone) or _problems_of_moment(
            expression, time_zone, services.clock.now()
        )
    if "job" not in wrong:
        problems += _problems_of_job(services, body)
    if problems or given is None:
        raise InputInvalid(problems)
    return given


def _problems_of_times(expression: str, time_zone: str) -> list[Problem]:
    problems = []
    try:
        parse_expression(expression)
    except ValueError as exc:
        problems.append(Problem("expression", str(exc)))
    try:
        parse_time_zone(time_zone)
    except ValueError as exc:
        problems.append(Problem("time_zone", str(exc)))
    return problems


def _problems_of_moment(expression: str, time_zone: str, now: datetime) -> list[Problem]:
    """Of an `at`, which only its zone makes a moment: one that has passed would never be due."""
    try:
        timing = parse_expression(expression, time_zone)
    except ValueError as exc:
        return [Problem("expression", str(exc))]
    if not isinstance(timing, Once) or timing.at > now:
        return []
    return [Problem("expression", f"has passed: this moment was {due_text(timing.at)}")]


def _problems_of_job(services: Services, body: Mapping[str, Any]) -> list[Problem]:
    """The job is checked in the form in which it will be requested."""
    job = dict(body["job"])
    problems = []
    if job.pop("deadline_at", None) is not None:
        message = "one fixed moment cannot fit every run: give a span, deadline_seconds"
        problems.append(Problem("job.deadline_at", message))
    project = job.get("project", DEFAULT_PROJECT)
    probe = Schedule(name="probe", expression="", job=job, project=project)
    try:
        check_job_request(services, scheduled_body(probe, services.clock.now()))
    except InputInvalid as exc:
        problems += [Problem(f"job.{each.path}", each.message) for each in exc.problems]
    return problems


def _those_that_exist(services: Services) -> str:
    page = services.store.list_config(Schedule, limit=NAMES_SHOWN)
    if not page.items:
        return "none is configured yet"
    names = ", ".join(schedule.name for schedule in page.items)
    return f"these exist: {names}" + (", …" if page.next_cursor else "")
