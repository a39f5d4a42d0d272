"""The calls to SageMaker and CloudWatch Logs, one method each. No retries, no sleeping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.parsers import ResponseParserError
from pydantic import BaseModel, ValidationError

from trainbell.errors import ConfigInvalid, ProviderAuthFailed, ProviderUnavailable
from trainbell.ports import Clock
from trainbell.providers.redaction import Redactor, redactor_of
from trainbell.providers.sagemaker.account import Account
from trainbell.providers.sagemaker.aws_errors import (
    NAME,
    network_error,
    refusal_error,
    unreadable_error,
)
from trainbell.providers.sagemaker.network import NetworkTrouble
from trainbell.providers.sagemaker.vendor_models import (
    Created,
    LogEvents,
    LogStreams,
    Nothing,
    TrainingJob,
    TrainingJobs,
)
from trainbell.providers.service_call import Effect

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
Model = TypeVar("Model", bound=BaseModel)

_OF_LOGS = frozenset({"describe_log_streams", "get_log_events"})
_UNPARSED = (
    ResponseParserError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
)
"""What botocore's parsers raise for members of a type that their model does not expect."""


class SageMakerClient:
    """Errors are those of `aws_errors`."""

    def __init__(
        self, account: Account, clock: Clock, *, url: str | None, logs_url: str | None
    ) -> None:
        self._account = account
        self._clock = clock
        self._urls = {"sagemaker": url, "logs": logs_url}
        self.logs_are_elsewhere = url is not None and logs_url is None

    @property
    def region(self) -> str:
        return self._account.region

    def create_training_job(self, arguments: Mapping[str, Any]) -> Created:
        """Raises ProviderRejected with the code ResourceInUse where the name is taken."""
        return self._send(
            Created, "create_training_job", "create a training job", Effect.START, **arguments
        )

    def training_job(self, name: str) -> TrainingJob:
        """Raises ProviderJobMissing."""
        return self._send(
            TrainingJob,
            "describe_training_job",
            "describe a training job",
            Effect.READ,
            TrainingJobName=name,
        )

    def stop_training_job(self, name: str) -> None:
        """Raises ProviderJobMissing; ProviderRejected where it has ended."""
        self._send(
            Nothing,
            "stop_training_job",
            "stop a training job",
            Effect.CHANGE,
            TrainingJobName=name,
        )

    def delete_training_job(self, name: str) -> None:
        """Raises ProviderJobMissing; ProviderRejected where it has not ended."""
        self._send(
            Nothing,
            "delete_training_job",
            "delete a training job",
            Effect.CHANGE,
            TrainingJobName=name,
        )

    def training_jobs(self, wanted: Mapping[str, Any]) -> TrainingJobs:
        """One page, by the arguments of ListTrainingJobs."""
        return self._send(
            TrainingJobs, "list_training_jobs", "list training jobs", Effect.READ, **wanted
        )

    def log_streams(self, prefix: str, at_most: int) -> LogStreams:
        """By name. Raises ProviderJobMissing where there is no log group yet."""
        return self._send(
            LogStreams,
            "describe_log_streams",
            "find the log",
            Effect.READ,
            logGroupName=LOG_GROUP,
            logStreamNamePrefix=prefix,
            limit=at_most,
        )

    def log_events(self, stream: str, at_most: int, token: str | None) -> LogEvents:
        """The last events, or those before `token`. A page may be empty though more is there."""
        arguments: dict[str, Any] = {"logGroupName": LOG_GROUP, "logStreamName": stream}
        if token is not None:
            arguments["nextToken"] = token
        return self._send(
            LogEvents,
            "get_log_events",
            "read the log",
            Effect.READ,
            limit=at_most,
            startFromHead=False,
            **arguments,
        )

    def redact(self, text: str) -> str:
        """The text without any secret of this connection."""
        return self._redactor().text(text)

    def secrets(self) -> Sequence[str]:
        """All that this connection signs with, whether its own or of AWS's default places."""
        return self._account.secrets()

    def close(self) -> None:
        self._account.close()

    def _send(
        self, model: type[Model], method: str, operation: str, effect: Effect, **arguments: Any
    ) -> Model:
        answer = self._answer(method, operation, effect, arguments)
        try:
            return model.model_validate(answer)
        except ValidationError as exc:
            # Never pydantic's own text: it quotes the input.
            places = sorted({".".join(map(str, p["loc"])) for p in exc.errors()})[:3]
            why = f"{', '.join(places)} missing or wrong"
            raise unreadable_error(operation, effect, why) from exc

    def _answer(
        self, method: str, operation: str, effect: Effect, arguments: Mapping[str, Any]
    ) -> Any:
        service = "logs" if method in _OF_LOGS else "sagemaker"
        try:
            client = self._account.client(service, self._urls[service])
            return getattr(client, method)(**arguments)
        except ClientError as exc:
            error = refusal_error(exc, operation, effect, self._redactor(), self._clock.now())
            if isinstance(error, ProviderAuthFailed):
                self._account.refused()
            raise error from exc
        except NetworkTrouble as exc:
            raise network_error(exc, operation, effect, self._redactor()) from exc
        except HTTPClientError as exc:
            # Not from our network: the source of the credentials does not answer.
            raise ProviderUnavailable(
                f"{NAME} was not asked to {operation}: no credentials now ({type(exc).__name__})",
                provider=NAME,
                operation=operation,
            ) from exc
        except (BotoCoreError, ConfigInvalid) as exc:
            # Credentials that cannot be had, a profile that is not there: nothing was sent.
            self._account.refused()
            why = self.redact(str(exc))[:400]
            raise ProviderAuthFailed(
                f"{NAME} was not asked to {operation}: {why}", provider=NAME, operation=operation
            ) from exc
        except _UNPARSED as exc:
            why = f"{type(exc).__name__} in botocore's parser"
            raise unreadable_error(operation, effect, why) from exc

    def _redactor(self) -> Redactor:
        return redactor_of(tuple(self.secrets()))
