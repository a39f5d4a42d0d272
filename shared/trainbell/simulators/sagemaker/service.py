"""The simulated service's calls: signature, checks, then the work.

Documented: names, patterns, stages, ResourceInUse for a name that is taken, ResourceLimitExceeded
(API reference; botocore 1.43.106). Seen at the service, though documented otherwise:
ValidationException for a job that is not there (https://github.com/aws/aws-sdk/issues/165) and for
a stop after the end (https://github.com/awslabs/benchmark-ai/issues/928). Chosen here: the words of
the other refusals, and how long anything takes; a deletion takes no time.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from pydantic import NonNegativeInt

from trainbell.simulators.aws_signatures import AccessKey, BadSignature, Scope, verify
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.sagemaker.listing import listed
from trainbell.simulators.sagemaker.training_jobs import Plan, TrainingJob
from trainbell.simulators.service import Answer, Request, SimulatedService
from trainbell.simulators.settings import Settings, read

ACCESS_KEY_ID = "AKIASIMULATED0000001"
SECRET_ACCESS_KEY = "simulated/secret+access=key000000000001"  # noqa: S105 - of a simulator
ACCOUNT_ID = "123456789012"
REGION = "eu-west-1"
SERVICE = "sagemaker"
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_ROLE = re.compile(r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
_REQUIRED = (
    "AlgorithmSpecification.TrainingInputMode",
    "OutputDataConfig.S3OutputPath",
    "ResourceConfig",
    "StoppingCondition",
)
_ACTIVE = frozenset({"InProgress", "Stopping"})


class Refused(Exception):
    """An answer other than success; 400, as nearly all of this service are."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class SageMakerSettings(Settings):
    plan: Plan | None = None
    plans: tuple[Plan, ...] = ()
    max_trainings: NonNegativeInt | None = None


class SageMakerSimulator(SimulatedService):
    """`starts` counts accepted trainings by name. Signatures are checked by real time (plus the
    clock's skew), because a clock that is sped up leaves every client's behind."""

    def __init__(
        self,
        clock: SimulatorClock | None = None,
        *,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(clock)
        self.wall = wall
        self.keys = {ACCESS_KEY_ID: AccessKey(secret=SECRET_ACCESS_KEY)}
        self.plan = Plan()
        self.plans: deque[Plan] = deque()
        self.max_trainings: int | None = None
        self.jobs: dict[str, TrainingJob] = {}
        self._perhaps_active: list[TrainingJob] = []

    def handle(self, request: Request) -> Answer:
        try:
            wall = self.wall() + timedelta(seconds=self.clock.skew_seconds)
            verify(request, self.keys, Scope(region=REGION, service=SERVICE), wall)
            status, body = 200, self._answer(request)
        except (BadSignature, Refused) as bad:
            status, body = bad.status, {"__type": bad.code, "message": str(bad)}
        content = json.dumps(body).encode() if body else b""
        headers = {"x-amzn-RequestId": str(uuid4())}
        return Answer(status, content, "application/x-amz-json-1.1", headers)

    def apply_settings(self, settings: Mapping[str, Any]) -> None:
        """`plan` for all further trainings, `plans` for the next ones, `max_trainings`."""
        given = read(SageMakerSettings, settings)
        self.plan = given.plan or self.plan
        self.plans.extend(given.plans)
        if "max_trainings" in given.model_fields_set:
            self.max_trainings = given.max_trainings

    def counters(self) -> dict[str, Any]:
        states = [job.status(self.clock.now()) for job in self.jobs.values()]
        return {**super().counters(), "states": {s: states.count(s) for s in sorted(set(states))}}

    def _answer(self, request: Request) -> dict[str, Any]:
        calls = {
            "SageMaker.CreateTrainingJob": self._create,
            "SageMaker.DescribeTrainingJob": self._describe,
            "SageMaker.StopTrainingJob": self._stop,
            "SageMaker.DeleteTrainingJob": self._delete,
            "SageMaker.ListTrainingJobs": self._list,
            "SageMaker.ListTags": self._tags,
        }
        call = calls.get(request.headers.get("x-amz-target", ""))
        if (request.method, request.path) != ("POST", "/") or call is None:
            raise Refused("UnknownOperationException", "There is no such operation.")
        try:
            given = json.loads(request.body)
        except ValueError as exc:
            raise Refused("SerializationException", "The body is no JSON.") from exc
        if not isinstance(given, dict):
            raise Refused("SerializationException", "The body is no structure.")
        return call(given)

    def _create(self, given: dict[str, Any]) -> dict[str, Any]:
        _check(given)
        name, now = given["TrainingJobName"], self.clock.now()
        if name in self.jobs:
            words = "Training job names must be unique within an AWS account and region"
            raise Refused("ResourceInUse", words)
        self._keep_limit(now)
        arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}:training-job/{name}"
        plan = self.plans.popleft() if self.plans else self.plan
        job = TrainingJob(arn=arn, given=given, plan=plan, created_at=now)
        self.jobs[name] = job
        self._perhaps_active.append(job)
        self.starts[name] += 1
        return {"TrainingJobArn": arn}

    def _keep_limit(self, now: datetime) -> None:
        """Nothing is counted where there is no limit, and no ended job twice."""
        if self.max_trainings is None:
            return
        self._perhaps_active = [j for j in self._perhaps_active if j.status(now) in _ACTIVE]
        if len(self._perhaps_active) >= self.max_trainings:
            words = f"The account-level service limit is {self.max_trainings} Instances."
            raise Refused("ResourceLimitExceeded", words)

    def _describe(self, given: dict[str, Any]) -> dict[str, Any]:
        return self._job(given).described(self.clock.now(), self.clock.shown)

    def _stop(self, given: dict[str, Any]) -> dict[str, Any]:
        job, now = self._job(given), self.clock.now()
        status = job.status(now)
        if status not in _ACTIVE:
            words = f"The request was rejected because the training job is in status {status}."
            raise Refused("ValidationException", words)
        job.stopped_at = job.stopped_at or now
        return {}

    def _delete(self, given: dict[str, Any]) -> dict[str, Any]:
        job = self._job(given)
        status = job.status(self.clock.now())
        if status in _ACTIVE:
            words = f"The request was rejected because the training job is in status {status}."
            raise Refused("ResourceInUse", words)
        del self.jobs[given["TrainingJobName"]]
        return {}

    def _list(self, given: dict[str, Any]) -> dict[str, Any]:
        try:
            return listed(self.jobs.values(), given, self.clock.now(), self.clock.shown)
        except ValueError as exc:
            raise Refused("ValidationException", str(exc)) from exc

    def _tags(self, given: dict[str, Any]) -> dict[str, Any]:
        name = str(given.get("ResourceArn")).rpartition("training-job/")[2]
        return {"Tags": self._job({"TrainingJobName": name}).tags()}

    def _job(self, given: dict[str, Any]) -> TrainingJob:
        job = self.jobs.get(str(given.get("TrainingJobName")))
        if job is None:
            raise Refused("ValidationException", "Requested resource not found.")
        return job


def _check(given: dict[str, Any]) -> None:
    """Raises Refused with all that is wrong."""
    problems = [
        f"Value at '{name}' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {pattern.pattern}"
        for name, pattern in (("TrainingJobName", _NAME), ("RoleArn", _ROLE))
        if not pattern.fullmatch(str(given.get(name, "")))
    ]
    for path in _REQUIRED:
        section, _, member = path.partition(".")
        found = given.get(section)
        if not isinstance(found, dict) or (member and not isinstance(found.get(member), str)):
            problems.append(
                f"Value null at '{path}' failed to satisfy constraint: Member must not be null"
            )
    algorithm = given.get("AlgorithmSpecification")
    if isinstance(algorithm, dict) and ("TrainingImage" in algorithm) == (
        "AlgorithmName" in algorithm
    ):
        problems.append("AlgorithmSpecification needs either TrainingImage or AlgorithmName")
    if problems:
        words = f"{len(problems)} validation errors detected: {'; '.join(problems)}"
        raise Refused("ValidationException", words)
