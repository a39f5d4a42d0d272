"""Connections: checked whole before anything is stored, tried on request, kept while in use."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from trainbell.domain.base_url import checked_base_url
from trainbell.domain.settings import Connection
from trainbell.errors import ConfigInvalid, Conflict, InputInvalid, NotFound, Problem
from trainbell.ports import ProviderSpec
from trainbell.use_cases.ground.changing import change_setting, remove_setting, require_match
from trainbell.use_cases.ground.door import door_to
from trainbell.use_cases.ground.find_connection import find_connection
from trainbell.use_cases.ground.problems import problems_of
from trainbell.use_cases.ground.secret_reference import SecretReference
from trainbell.use_cases.ground.secret_use import problems_of_use
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.settings.connection_trouble import look_again

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
CALLS_PER_MINUTE_AT_MOST = 6000
JOBS_AT_ONCE_AT_MOST = 10_000

_ACTIVE_JOBS_COUNTED = 1000


def _url(text: str) -> str:
    try:
        return checked_base_url(text)
    except ConfigInvalid as exc:
        raise PydanticCustomError("base_url", "{reason}", {"reason": str(exc)}) from exc


class ConnectionInput(BaseModel):
    """What a connection is made of. `base_url` may be left out where the provider has its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    provider: Annotated[str, StringConstraints(min_length=1, max_length=63)]
    base_url: Annotated[str, AfterValidator(_url)] | None = None
    secret: SecretReference | None = Field(
        None, description="A reference, never the secret: env:NAME, file:/path, …"
    )
    calls_per_minute: float | None = Field(None, gt=0, le=CALLS_PER_MINUTE_AT_MOST, strict=True)
    max_active: int | None = Field(None, ge=1, le=JOBS_AT_ONCE_AT_MOST, strict=True)
    settle_seconds: float | None = Field(
        None,
        ge=1,
        le=86_400,
        description="How long a start may take to appear there; lost ones are sent again after",
    )
    options: dict[str, Any] = Field(default_factory=dict, max_length=100)


def put_connection(
    services: Services,
    name: str,
    body: Mapping[str, Any],
    *,
    if_match: Collection[str] | None = None,
) -> tuple[Connection, bool]:
    """Create or replace a connection. The bool says whether it is new.

    Jobs that failed to reach their service for want of a good key are looked at again at once.
    Where anything changed, a silence that the service had asked for is lifted, and those that wait
    for its end go on.

    Raises:
        InputInvalid: with every problem of the name, the body and the provider's own options; or
            its secret is not allowed to go to its host.
        ProviderUnavailable: what the secret's owner allows cannot be had now.
        Conflict: it has active jobs, which its new provider would not know.
        SettingChanged: none of the revisions in `if_match` is stored.
    """
    given, spec = _check(services, name, body)
    now = services.clock.now()

    before: list[Connection] = []

    def replaced(stored: Connection | None) -> Connection:
        if stored is None:
            return connection
        before.append(stored)
        if stored.provider != given.provider:
            _refuse_if_in_use(services, name, "its provider cannot change")
        moved_at = _moved_at(stored, connection, now)
        return replace(connection, created_at=stored.created_at, moved_at=moved_at)

    connection = replace(_connection(name, given, spec), created_at=now, updated_at=now)
    put = change_setting(services, Connection, name, replaced, if_match=if_match)
    assert put is not None  # noqa: S101 - `replaced` always gives one
    connection, is_new = put
    if not is_new:
        is_changed = not before or _settings_of(before[-1]) != _settings_of(connection)
        if is_changed:
            services.store.lift_silence(name)
        look_again(services, name, line_is_free=is_changed)
    return connection, is_new


def problems_of_connection(services: Services, connection: Connection) -> Sequence[Problem]:
    """What `put_connection` would find wrong with one that comes from elsewhere."""
    body = {
        each: getattr(connection, each)
        for each in ConnectionInput.model_fields
        if getattr(connection, each) is not None
    }
    try:
        _check(services, connection.name, {**body, "options": dict(connection.options)})
    except InputInvalid as error:
        return [Problem(f"body.{each.path}", each.message) for each in error.problems]
    return []


def _connection(name: str, given: ConnectionInput, spec: ProviderSpec) -> Connection:
    return Connection(
        name=name,
        provider=given.provider,
        base_url=given.base_url or spec.default_base_url,
        secret=given.secret,
        calls_per_minute=given.calls_per_minute,
        max_active=given.max_active,
        settle_seconds=given.settle_seconds,
        options=dict(given.options),
    )


def _settings_of(connection: Connection) -> Connection:
    return replace(connection, created_at=None, updated_at=None, moved_at=None)


def _moved_at(before: Connection, after: Connection, now: datetime) -> datetime | None:
    return before.moved_at if before.leads_to == after.leads_to else now


def delete_connection(
    services: Services, name: str, *, if_match: Collection[str] | None = None
) -> None:
    """Raises NotFound; Conflict while it has active jobs, which nobody could watch without it;
    SettingChanged where none of the revisions in `if_match` is stored."""
    stored = services.store.get_config(Connection, name)
    require_match(Connection, name, stored, if_match)
    if stored is None:
        find_connection(services, name)
        raise Conflict(f"connection {name} is built in and cannot be deleted")
    _refuse_if_in_use(services, name, "cancel them or wait for their end first")
    remove_setting(services, Connection, name, if_match=if_match)


def try_connection(services: Services, name: str) -> str:
    """Try it for real, without changing anything at the service. Says what answered.

    Raises:
        NotFound: no such connection.
        ConfigInvalid: its secret cannot be had.
        ProviderError: the service did not answer well.
    """
    return door_to(services, find_connection(services, name)).call(lambda service: service.check())


@dataclass(slots=True)
class _Checked:
    given: ConnectionInput | None
    spec: ProviderSpec | None
    problems: list[Problem]


def _check(
    services: Services, name: str, body: Mapping[str, Any]
) -> tuple[ConnectionInput, ProviderSpec]:
    checked = _Checked(None, None, [])
    if not NAME.fullmatch(name):
        message = "1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit"
        checked.problems.append(Problem("name", message))
    try:
        checked.given = ConnectionInput.model_validate(body)
    except ValidationError as error:
        checked.problems += problems_of(error)
    else:
        _check_address(services, checked.given.base_url, checked.problems)
    _check_against_provider(services, body, checked)
    if checked.given is not None and checked.spec is not None:
        connection = _connection(name, checked.given, checked.spec)
        use = partial(checked.spec.secret_use, connection)
        checked.problems += problems_of_use(services, checked.spec.secret_of(connection), use)
    if checked.problems or checked.given is None or checked.spec is None:
        raise InputInvalid(checked.problems)
    return checked.given, checked.spec


def _check_address(services: Services, base_url: str | None, problems: list[Problem]) -> None:
    """What a name leads to is judged when a call connects; an address can be judged now."""
    try:
        address = ip_address(urlsplit(base_url or "").hostname or "")
    except ValueError:
        return
    refusal = services.reach.refusal(address)
    if refusal is not None:
        problems.append(Problem("base_url", f"may not be called: {refusal}"))


def _check_against_provider(services: Services, body: Mapping[str, Any], checked: _Checked) -> None:
    provider = body.get("provider")
    if not isinstance(provider, str) or any(p.path == "provider" for p in checked.problems):
        return
    try:
        spec = checked.spec = services.providers.spec(provider)
    except NotFound as error:
        checked.problems.append(Problem("provider", str(error)))
        return
    if spec.embedded_only and services.engine != "embedded":
        message = f"{spec.title} works only where Trainbell runs as one process (trainbell up)"
        checked.problems.append(Problem("provider", message))
    if spec.needs_url and spec.default_base_url is None and body.get("base_url") is None:
        checked.problems.append(Problem("base_url", f"is required: {spec.title} has no default"))
    if spec.needs_secret and body.get("secret") is None:
        message = f"is required: {spec.title} asks for one; give a reference such as env:NAME"
        checked.problems.append(Problem("secret", message))
    _check_options(spec, body.get("options", {}), checked.problems)


def _check_options(spec: ProviderSpec, options: object, problems: list[Problem]) -> None:
    if not isinstance(options, dict):
        return
    if spec.options is None:
        problems += [Problem(f"options.{key}", f"{spec.name} has no options") for key in options]
        return
    try:
        spec.options.model_validate(options)
    except ValidationError as error:
        problems += problems_of(error, "options")


def _refuse_if_in_use(services: Services, name: str, advice: str) -> None:
    count = len(services.store.active(name, _ACTIVE_JOBS_COUNTED + 1))
    if count:
        shown = f"over {_ACTIVE_JOBS_COUNTED}" if count > _ACTIVE_JOBS_COUNTED else str(count)
        raise Conflict(f"connection {name} has {shown} active jobs: {advice}")
