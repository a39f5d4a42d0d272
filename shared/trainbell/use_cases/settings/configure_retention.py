"""For how long a project's ended jobs are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trainbell.domain.settings import Retention
from trainbell.errors import InputInvalid, NotFound, Problem
from trainbell.use_cases.ground.changing import change_setting, remove_setting
from trainbell.use_cases.ground.problems import problems_of
from trainbell.use_cases.ground.services import Services

DAYS_AT_MOST = 36_500
PROJECT_LENGTH_AT_MOST = 256


class RetentionInput(BaseModel):
    """The body of `PUT /v1/retention/{project}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int = Field(
        ge=1,
        le=DAYS_AT_MOST,
        strict=True,
        description="An ended job is forgotten so many days after its end",
    )


def put_retention(
    services: Services,
    project: str,
    body: Mapping[str, Any],
    *,
    if_match: Collection[str] | None = None,
) -> tuple[Retention, bool]:
    """Create or replace it. The bool says whether it is new. Jobs are forgotten within the hour.

    Raises:
        InputInvalid: with every problem.
        SettingChanged: none of the revisions in `if_match` is stored.
    """
    problems = []
    if not 1 <= len(project) <= PROJECT_LENGTH_AT_MOST:
        problems.append(Problem("project", f"1 to {PROJECT_LENGTH_AT_MOST} characters"))
    given = None
    try:
        given = RetentionInput.model_validate(body)
    except ValidationError as error:
        problems += problems_of(error)
    if problems or given is None:
        raise InputInvalid(problems)
    now = services.clock.now()
    wanted = Retention(name=project, days=given.days, created_at=now, updated_at=now)

    def replaced(stored: Retention | None) -> Retention:
        return wanted if stored is None else replace(wanted, created_at=stored.created_at)

    put = change_setting(services, Retention, project, replaced, if_match=if_match)
    assert put is not None  # noqa: S101 - `replaced` always gives one
    return put


def problems_of_retention(services: Services, retention: Retention) -> Sequence[Problem]:  # noqa: ARG001
    """What `put_retention` would find wrong with one that comes from elsewhere."""
    good = (
        1 <= retention.days <= DAYS_AT_MOST and 1 <= len(retention.name) <= PROJECT_LENGTH_AT_MOST
    )
    return [] if good else [Problem("body", f"1 to {DAYS_AT_MOST} days of a project")]


def get_retention(services: Services, project: str) -> Retention:
    """Raises NotFound."""
    stored = services.store.get_config(Retention, project)
    if stored is None:
        raise NotFound(f"project {project!r} keeps its jobs for ever: no retention is set")
    return stored


def delete_retention(
    services: Services, project: str, *, if_match: Collection[str] | None = None
) -> None:
    """Its jobs are kept for ever. Raises NotFound, SettingChanged."""
    get_retention(services, project)
    remove_setting(services, Retention, project, if_match=if_match)
