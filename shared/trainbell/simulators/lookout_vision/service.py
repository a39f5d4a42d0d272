"""The simulated service's calls: signature, permission, checks, then the work.

Documented: paths, fields, patterns, lengths, statuses, errors, the token's 8 hours (API reference;
botocore 1.40.60). Not documented, so chosen here: the error for a token used with other input
(409), that a training model cannot be deleted (409), that a training needs a training dataset
(404), the order of lists (newest first), quotas, and how long anything takes.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import uuid4

from pydantic import AfterValidator, NonNegativeInt

from trainbell.simulators.aws_signatures import AccessKey, BadSignature, Scope, verify
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.lookout_vision.account import PROJECT, Account
from trainbell.simulators.lookout_vision.incoming import Incoming
from trainbell.simulators.lookout_vision.model_calls import MODEL_CALLS
from trainbell.simulators.lookout_vision.models import Plan
from trainbell.simulators.lookout_vision.project_calls import PROJECT_CALLS
from trainbell.simulators.lookout_vision.refusals import STATUS_OF, Refused, denied
from trainbell.simulators.lookout_vision.routes import route
from trainbell.simulators.service import Answer, Request, SimulatedService
from trainbell.simulators.settings import Header, Seconds, Settings, read

ACCESS_KEY_ID = "AKIASIMULATED0000000"
SECRET_ACCESS_KEY = "simulated/secret+access=key000000000000"  # noqa: S105 - of a simulator
REGION = "us-east-1"
SERVICE = "lookoutvision"
_CALLS = {**MODEL_CALLS, **PROJECT_CALLS}
OPERATIONS = frozenset(_CALLS)


def _is_known(code: str) -> str:
    if code not in STATUS_OF:
        raise ValueError(f"no such error: {code}")
    return code


def _is_operation(name: str) -> str:
    if name not in OPERATIONS:
        raise ValueError(f"no such operation: {name}")
    return name


Operation = Annotated[str, AfterValidator(_is_operation)]


class PlannedError(Settings):
    """What the next call, or the next one of this operation, is answered."""

    error: Annotated[str, AfterValidator(_is_known)]
    operation: Operation | None = None
    message: str | None = None
    retry_after: Header | None = None


class LookoutVisionSettings(Settings):
    plan: Plan | None = None
    plans: tuple[Plan, ...] = ()
    max_trainings: NonNegativeInt | None = None
    list_lag_seconds: Seconds | None = None
    denied: tuple[Operation, ...] | None = None
    errors: tuple[PlannedError, ...] = ()


class LookoutVisionSimulator(SimulatedService):
    """`starts` counts accepted trainings by client token. Signatures are checked by real time (plus
    the clock's skew), because a clock that is sped up leaves every client's behind."""

    def __init__(
        self,
        clock: SimulatorClock | None = None,
        *,
        region: str = REGION,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(clock)
        self.region = region
        self.wall = wall
        self.keys = {ACCESS_KEY_ID: AccessKey(secret=SECRET_ACCESS_KEY)}
        self.denied: set[str] = set()
        self.errors: deque[Mapping[str, Any]] = deque()
        self.list_lag_seconds = 0.0
        self.account = Account(self.clock, region)
        self.account.add_dataset(self.account.add_project(PROJECT), "train", seconds=0)

    def handle(self, request: Request) -> Answer:
        request_id = str(uuid4())
        try:
            status, answer = self._answer(request)
        except Refused as refused:
            return refused.answer(request_id)
        except BadSignature as bad:
            return Refused(bad.status, bad.code, str(bad)).answer(request_id)
        return Answer.json(answer, status, **{"x-amzn-RequestId": request_id})

    def apply_settings(self, settings: Mapping[str, Any]) -> None:
        """`plan` for all further trainings, `plans` for the next ones, `max_trainings`,
        `list_lag_seconds` (lists are only eventually consistent), `denied` (operations that the
        key may not do), `errors` (the next errors: `error`, and `operation`, `retry_after`)."""
        given = read(LookoutVisionSettings, settings)
        account = self.account
        account.plan = given.plan or account.plan
        account.plans.extend(given.plans)
        if "max_trainings" in given.model_fields_set:
            account.max_trainings = given.max_trainings
        if given.list_lag_seconds is not None:
            self.list_lag_seconds = given.list_lag_seconds
        if given.denied is not None:
            self.denied = set(given.denied)
        self.errors.extend(each.model_dump(exclude_none=True) for each in given.errors)

    def counters(self) -> dict[str, Any]:
        now = self.clock.now()
        models = [m for p in self.account.projects.values() for m in p.models.values()]
        states = [model.status(now) for model in models]
        return {**super().counters(), "states": {s: states.count(s) for s in sorted(set(states))}}

    def _answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        found = route(request.method, request.path)
        verify(request, self.keys, Scope(region=self.region, service=SERVICE), self._wall_time())
        if found is None:
            raise Refused(404, "UnknownOperationException", "There is no such operation.")
        operation, names, status = found
        if operation in self.denied:
            raise denied(operation)
        self._raise_planned(operation)
        incoming = Incoming(
            operation=operation,
            names=names,
            query=request.query,
            raw_query=request.raw_query,
            token=request.headers.get("x-amzn-client-token"),
            body=_body(request, operation),
            listed_until=self.clock.now() - timedelta(seconds=self.list_lag_seconds),
            may_tag="TagResource" not in self.denied,
            started=self._count_start,
        )
        return status, _CALLS[operation](self.account, incoming)

    def _wall_time(self) -> datetime:
        return self.wall() + timedelta(seconds=self.clock.skew_seconds)

    def _count_start(self, token: str) -> None:
        self.starts[token] += 1

    def _raise_planned(self, operation: str) -> None:
        if not self.errors or self.errors[0].get("operation", operation) != operation:
            return
        planned = self.errors.popleft()
        code = planned["error"]
        members = {"ResourceId": "x", "ResourceType": "MODEL"} if code in _ABOUT_RESOURCES else {}
        if code == "ServiceQuotaExceededException":
            members |= {"QuotaCode": "L-TRAININGS", "ServiceCode": "lookoutvision"}
        raise Refused(
            STATUS_OF[code],
            code,
            planned.get("message", "This error was asked for."),
            retry_after=planned.get("retry_after"),
            **members,
        )


_ABOUT_RESOURCES = frozenset({"ConflictException", "ResourceNotFoundException"})


def _body(request: Request, operation: str) -> dict[str, Any]:
    if not request.body or operation == "DetectAnomalies":
        return {}
    try:
        body = json.loads(request.body)
    except ValueError as exc:
        raise Refused(400, "SerializationException", "The body is no JSON.") from exc
    if not isinstance(body, dict):
        raise Refused(400, "SerializationException", "The body is no structure.")
    return body
