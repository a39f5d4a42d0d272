"""What may be asked for: the body of `POST /v1/jobs`, checked whole before anything is stored."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from trainbell.domain.order import (
    DEFAULT_PROJECT,
    MAX_INTERVAL_SECONDS,
    MIN_INTERVAL_SECONDS,
    OnUnclear,
    Order,
    WhenBusy,
)
from trainbell.domain.size_bounds import ORDER_BYTES_AT_MOST, order_bytes
from trainbell.errors import InputInvalid, NotFound, Problem
from trainbell.ports import Kind, ProviderSpec
from trainbell.use_cases.ground.find_connection import find_connection
from trainbell.use_cases.ground.problems import problems_of
from trainbell.use_cases.ground.services import Services

TAGS_AT_MOST = 200
DEADLINE_SECONDS_AT_MOST = 10 * 366 * 86_400
IDEMPOTENCY_KEY = re.compile(r"[a-zA-Z0-9-]{1,64}")

SettingName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]*$")]
TagKey = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f]*$")]
TagValue = Annotated[str, StringConstraints(max_length=256, pattern=r"^[^\x00-\x1f]*$")]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError("must lie between the years 1 and 9999 in UTC") from exc


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class JobRequest(BaseModel):
    """A job to start. `connection` is the provider's name where none is given; `kind` may be left
    out where the provider has only one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: SettingName
    connection: SettingName | None = None
    kind: Label | None = None
    project: SettingName = DEFAULT_PROJECT
    name: Label | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    dataset: Label | None = None
    model: Label | None = None
    tags: dict[TagKey, TagValue] = Field(default_factory=dict, max_length=TAGS_AT_MOST)
    deadline_at: Moment | None = None
    deadline_seconds: float | None = Field(None, gt=0, le=DEADLINE_SECONDS_AT_MOST)
    """A deadline as a span from the request on; in place of `deadline_at`."""
    when_busy: WhenBusy = WhenBusy.REFUSE
    on_unclear: OnUnclear = OnUnclear.WAIT
    min_interval_seconds: float = Field(MIN_INTERVAL_SECONDS, ge=1, le=3600)
    """Where it is left out, it is not more than `max_interval_seconds`."""
    max_interval_seconds: float = Field(MAX_INTERVAL_SECONDS, ge=1, le=86_400)

    def order(self, now: datetime) -> Order:
        """The domain's value, asked for now. For a request whose blanks are filled in only."""
        asked = {each.name: getattr(self, each.name) for each in fields(Order)}
        if self.deadline_seconds is not None:
            asked["deadline_at"] = now + timedelta(seconds=self.deadline_seconds)
        return Order(**asked)

    def fingerprint(self) -> str:
        """The same for the same request, whatever the order of its fields, and whenever it is
        sent: a span is one, and not the moment that it leads to."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def check_job_request(services: Services, body: Mapping[str, Any]) -> JobRequest:
    """The request with its defaults filled in, its parameters in the provider's own form.

    Raises:
        InputInvalid: with every problem: of the envelope, of what it names, of its parameters.
    """
    problems: list[Problem] = []
    request = None
    try:
        request = JobRequest.model_validate(body)
    except ValidationError as error:
        problems += problems_of(error)
    spec = _check_provider(services, body.get("provider"), problems)
    connection = body.get("connection") or body.get("provider")
    if spec is not None:
        _check_connection(services, spec, connection, problems)
    kind = _check_kind(spec, body.get("kind"), problems) if spec else None
    parameters = _check_parameters(kind, body.get("parameters", {}), problems) if kind else {}
    if request is not None:
        problems += _check_times(request, services.clock.now())
        problems += _check_size(request, parameters)
    if problems or request is None or spec is None or kind is None:
        raise InputInvalid(problems)
    return request.model_copy(
        update={
            "connection": connection,
            "kind": kind.name,
            "parameters": parameters,
            "dataset": request.dataset
            or (spec.dataset_of(parameters) if spec.dataset_of else None),
            "model": request.model or (spec.model_of(parameters) if spec.model_of else None),
            "min_interval_seconds": _shortest_interval(request, spec),
        }
    )


def check_idempotency_key(key: str) -> None:
    """Raises InputInvalid (1 to 64 of a-z, A-Z, 0-9 and -, as Amazon's client tokens)."""
    if not IDEMPOTENCY_KEY.fullmatch(key):
        message = "1 to 64 letters, digits and hyphens"
        raise InputInvalid([Problem("Idempotency-Key", message)])


def _check_provider(services: Services, name: Any, problems: list[Problem]) -> ProviderSpec | None:
    if not isinstance(name, str) or any(problem.path == "provider" for problem in problems):
        return None
    try:
        return services.providers.spec(name)
    except NotFound as error:
        problems.append(Problem("provider", str(error)))
        return None


def _check_connection(
    services: Services, spec: ProviderSpec, name: Any, problems: list[Problem]
) -> None:
    if not isinstance(name, str) or any(problem.path == "connection" for problem in problems):
        return
    try:
        connection = find_connection(services, name)
    except NotFound as error:
        problems.append(Problem("connection", str(error)))
        return
    if connection.provider != spec.name:
        message = f"{name} is a connection of provider {connection.provider}, not of {spec.name}"
        problems.append(Problem("connection", message))


def _check_kind(spec: ProviderSpec, name: Any, problems: list[Problem]) -> Kind | None:
    if name is None and len(spec.kinds) == 1:
        return next(iter(spec.kinds.values()))
    if isinstance(name, str) and name in spec.kinds:
        return spec.kinds[name]
    if not any(problem.path == "kind" for problem in problems):
        known = ", ".join(sorted(spec.kinds))
        problems.append(Problem("kind", f"{spec.name} has these kinds: {known}"))
    return None


def _check_parameters(kind: Kind, given: Any, problems: list[Problem]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        return {}
    try:
        if order_bytes(given, {}) > ORDER_BYTES_AT_MOST:
            message = f"at most {ORDER_BYTES_AT_MOST // 1024} KiB as JSON"
            problems.append(Problem("parameters", message))
            return {}
        model = kind.parameters.model_validate(given)
    except ValidationError as error:
        problems += problems_of(error, "parameters")
        return {}
    return model.model_dump(mode="json", exclude_unset=True)


def _shortest_interval(request: JobRequest, spec: ProviderSpec) -> float:
    asked_for = "min_interval_seconds" in request.model_fields_set
    shortest = request.min_interval_seconds if asked_for else spec.min_interval_seconds
    return min(shortest, request.max_interval_seconds)


def _check_size(request: JobRequest, parameters: Mapping[str, Any]) -> list[Problem]:
    """Of both together; tags count twice, for they are stored to be read and to be found."""
    size = order_bytes(parameters, request.tags)
    if size <= ORDER_BYTES_AT_MOST:
        return []
    message = f"make an order of {size} bytes with its parameters; at most {ORDER_BYTES_AT_MOST}"
    return [Problem("tags", message)]


def _check_times(request: JobRequest, now: datetime) -> list[Problem]:
    problems = []
    if request.deadline_at is not None and request.deadline_seconds is not None:
        message = "give it or deadline_at, not both"
        problems.append(Problem("deadline_seconds", message))
    if request.deadline_at is not None and request.deadline_at <= now:
        problems.append(Problem("deadline_at", "must lie in the future"))
    asked_for = "min_interval_seconds" in request.model_fields_set
    if asked_for and request.max_interval_seconds < request.min_interval_seconds:
        message = "must not be less than min_interval_seconds"
        problems.append(Problem("max_interval_seconds", message))
    return problems
