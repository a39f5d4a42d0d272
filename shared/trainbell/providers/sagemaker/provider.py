"""SageMaker as a provider. The training job's name is its identity: it holds our job's id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from pydantic import ValidationError

from trainbell.domain.base_url import checked_base_url
from trainbell.domain.job import Performance
from trainbell.domain.observation import Observation
from trainbell.errors import ConfigInvalid, NotSupported, ProviderJobMissing, ProviderRejected
from trainbell.ports import Clock, Handle, ProviderContext, StartOrder
from trainbell.providers.orders import parameters_of, wrong_places
from trainbell.providers.sagemaker.account import Account
from trainbell.providers.sagemaker.aws_errors import NAME, NAME_IS_TAKEN, says_it_has_ended
from trainbell.providers.sagemaker.client import SageMakerClient
from trainbell.providers.sagemaker.log_tail import log_tail
from trainbell.providers.sagemaker.network import Network
from trainbell.providers.sagemaker.options import (
    CHECK,
    JOB_ID_LENGTH,
    NAME_AT_MOST,
    SageMakerOptions,
)
from trainbell.providers.sagemaker.parameters import TrainParameters, is_ours
from trainbell.providers.sagemaker.status_map import read_status
from trainbell.providers.sagemaker.vendor_models import TrainingJob

MAX_MESSAGE = 2000
START = "create a training job"


class SageMaker:
    """One connection's view of SageMaker. The handle is `{"name": …, "arn": …}`."""

    def __init__(self, client: SageMakerClient, clock: Clock, prefix: str) -> None:
        self.client = client
        self._clock = clock
        self._prefix = prefix

    @classmethod
    def from_context(cls, context: ProviderContext) -> SageMaker:
        connection = context.connection
        try:
            options = SageMakerOptions.model_validate(dict(connection.options))
        except ValidationError as exc:
            raise ConfigInvalid(
                f"connection {connection.name}: options {wrong_places(exc)} are wrong"
            ) from exc
        account = Account(
            Network(context.transport),
            secrets=context.secrets,
            reference=connection.secret,
            region=options.region,
        )
        client = SageMakerClient(
            account,
            context.clock,
            url=checked_base_url(connection.base_url) if connection.base_url else None,
            logs_url=checked_base_url(options.logs_url) if options.logs_url else None,
        )
        return cls(client, context.clock, _prefix(options, context.installation))

    def start(self, order: StartOrder) -> Handle:
        """Names are unique in an account and region, so a repeat is refused; then the job that has
        the name is looked at, and adopted where it is ours."""
        name = self._name(order)
        wanted = _parameters(order).wire(name, order.job_id)
        try:
            return _handle(name, self.client.create_training_job(wanted).TrainingJobArn)
        except ProviderRejected as error:
            if error.vendor_code != NAME_IS_TAKEN:
                raise
            found = self.find(order)
            if found is None:
                raise
            return found

    def find(self, order: StartOrder) -> Handle | None:
        name = self._name(order)
        wanted = _parameters(order).wire(name, order.job_id)
        try:
            job = self.client.training_job(name)
        except ProviderJobMissing:
            return None
        described = job.model_dump(exclude_unset=True)
        return _handle(name, job.TrainingJobArn) if is_ours(described, wanted) else None

    def poll(self, handle: Handle) -> Observation:
        seen_at = self._clock.now()
        job = self.client.training_job(self._name_in(handle))
        state, end_reason = read_status(
            job.TrainingJobStatus,
            job.SecondaryStatus,
            has_started=job.TrainingStartTime is not None,
        )
        message = job.FailureReason or _last_words(job)
        return Observation(
            seen_at=seen_at,
            vendor_status=job.TrainingJobStatus,
            state=state,
            end_reason=end_reason,
            stage=job.SecondaryStatus,
            message=self.client.redact(message)[:MAX_MESSAGE] if message else None,
            vendor_code=_failure_kind(job),
            exit_code=_exit_code(job),
            performance=_performance(job),
            started_at=job.TrainingStartTime,
            ended_at=job.TrainingEndTime,
        )

    def cancel(self, handle: Handle) -> None:
        """SageMaker sends SIGTERM, and gives the training 120 s to save what it has."""
        try:
            self.client.stop_training_job(self._name_in(handle))
        except ProviderRejected as error:
            if not says_it_has_ended(error):
                raise

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        """Raises NotSupported where only SageMaker's own place is named: a connection that is led
        elsewhere must not ask AWS's public log service."""
        if self.client.logs_are_elsewhere:
            raise NotSupported(
                "this connection has a base URL of its own; name the log service's with the "
                "option logs_url"
            )
        return log_tail(self.client, self._name_in(handle), lines)

    def forget(self, handle: Handle) -> None:
        """Nothing of a training is kept on this machine."""

    def check(self) -> str:
        """Asks for a job that is not there, which needs no more rights than a poll."""
        with suppress(ProviderJobMissing):
            self.client.training_job(f"{self._prefix}{CHECK}")
        return f"SageMaker answered in {self.client.region}"

    def secrets(self) -> Sequence[str]:
        """What the door to this provider (`providers.redacted`) must know, too."""
        return self.client.secrets()

    def close(self) -> None:
        self.client.close()

    def _name(self, order: StartOrder) -> str:
        return f"{self._prefix}{order.job_id}"

    def _name_in(self, handle: Handle) -> str:
        """Raises ConfigInvalid where the connection has moved to another region: the job would
        look lost there, and it is not."""
        name, arn = handle.get("name"), handle.get("arn")
        if not isinstance(name, str) or not name:
            raise ProviderJobMissing(
                "the handle holds no name of a training job", provider=NAME, operation="find"
            )
        region = arn.split(":")[3] if isinstance(arn, str) and arn.count(":") > 3 else None  # noqa: PLR2004
        if region and region != self.client.region:
            raise ConfigInvalid(
                f"the training job is in {region}, but the connection is now in "
                f"{self.client.region}: restore its region, or the job cannot be watched"
            )
        return name


def _handle(name: str, arn: str) -> Handle:
    return {"name": name, "arn": arn}


def _parameters(order: StartOrder) -> TrainParameters:
    return parameters_of(
        order, TrainParameters, what="a training job", provider=NAME, operation=START
    )


def _failure_kind(job: TrainingJob) -> str | None:
    """`AlgorithmError`, `ClientError`, `InternalServerError` …, which the reason begins with."""
    found = re.match(r"(\w{1,64}): ", job.FailureReason or "")
    return found[1] if found else None


def _exit_code(job: TrainingJob) -> int | None:
    found = re.search(r"exit code: (\d{1,3})\b", job.FailureReason or "")
    return int(found[1]) if found else None


def _last_words(job: TrainingJob) -> str | None:
    """What SageMaker says of the stage that the job is in."""
    last = job.SecondaryStatusTransitions[-1:]
    return last[0].StatusMessage if last and last[0].Status == job.SecondaryStatus else None


def _performance(job: TrainingJob) -> Performance:
    """The seconds are of one instance: AWS bills them for each (`instances`)."""
    metrics = {
        metric.MetricName: metric.Value
        for metric in job.FinalMetricDataList
        if metric.MetricName and metric.Value is not None
    }
    cost = {
        name: seconds
        for name, seconds in (
            ("training_seconds", job.TrainingTimeInSeconds),
            ("billable_seconds", job.BillableTimeInSeconds),
        )
        if seconds is not None
    }
    instances = (job.ResourceConfig or {}).get("InstanceCount")
    if cost and isinstance(instances, int):
        cost["instances"] = float(instances)
    model = (job.ModelArtifacts or {}).get("S3ModelArtifacts")
    return Performance(
        metrics=metrics,
        cost=cost,
        artifacts={"model": model} if isinstance(model, str) and model else {},
    )


def _prefix(options: SageMakerOptions, installation: str) -> str:
    """Raises ConfigInvalid where the names of training jobs would be too long."""
    if options.name_prefix is not None:
        return options.name_prefix
    at_most = NAME_AT_MOST - JOB_ID_LENGTH - 1
    if len(installation) > at_most:
        raise ConfigInvalid(
            f"a stack that trains on SageMaker has a name of {at_most} characters at most, because "
            f"the names of its training jobs begin with it; {installation} has {len(installation)}"
        )
    return f"{installation}-"
