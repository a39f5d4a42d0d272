"""Einstein as a provider: start, find, poll. The service has no cancel and no log call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn, TypeVar

from pydantic import ValidationError

from trainbell.domain.job import END_STATES, Performance, State
from trainbell.domain.observation import Observation
from trainbell.errors import (
    ConfigInvalid,
    NotSupported,
    ProviderError,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
)
from trainbell.ports import Clock, Handle, ProviderContext, StartOrder
from trainbell.providers.credentials import secret_reference, service_url
from trainbell.providers.einstein.access_token import AccessToken, AccountKey
from trainbell.providers.einstein.client import EinsteinClient
from trainbell.providers.einstein.finding import find_started
from trainbell.providers.einstein.observing import (
    message_of,
    of_the_one_before,
    of_training,
)
from trainbell.providers.einstein.parameters import (
    EinsteinOptions,
    RetrainParameters,
    TrainParameters,
)
from trainbell.providers.einstein.performance import performance
from trainbell.providers.einstein.refusals import explain, raise_busy
from trainbell.providers.einstein.retraining import (
    ACTIVE,
    Run,
    accepted_run,
    quiet_again_in,
    service_time,
    started_run,
)
from trainbell.providers.einstein.status_map import STATUS_MAP
from trainbell.providers.einstein.vendor_models import CurvePoint, Training
from trainbell.providers.http import ServiceHttp
from trainbell.providers.orders import parameters_of, wrong_places

Given = TypeVar("Given", TrainParameters, RetrainParameters)
MAX_EPOCHS = 1000
MAX_CURVE_PAGES = 50
MAX_MESSAGE = 2000
METRICS_AWAITED_SECONDS = 900.0
"""For how long after its end a training is asked again for metrics that cannot be read just now."""


class Einstein:
    """One connection's view of Einstein. The handle is a `retraining.Run`."""

    def __init__(self, client: EinsteinClient, clock: Clock) -> None:
        self.client = client
        self._clock = clock

    @classmethod
    def from_context(cls, context: ProviderContext) -> Einstein:
        """Raises ConfigInvalid."""
        connection = context.connection
        base_url = service_url(context)
        options = _options(connection.name, connection.options)
        key = AccountKey(context.secrets, secret_reference(context), options.account)

        def http(credential: AccountKey | AccessToken) -> ServiceHttp:
            return ServiceHttp(
                provider="Einstein",
                base_url=base_url,
                credential=credential,
                clock=context.clock,
                transport=context.transport,
            )

        token = AccessToken(http(key), key, context.clock, options.token_seconds)
        return cls(EinsteinClient(http(token), token), context.clock)

    # ---------------------------------------- started once

    def start(self, order: StartOrder) -> Handle:
        """The service knows no idempotency key. A new model carries the job's id in its name; a
        retraining is told from the one before it by time (`retraining`)."""
        given = _parameters(order)
        if isinstance(given, RetrainParameters):
            return self._retrain(order, given)
        try:
            training = self.client.train(given.service, given.form(order.job_id))
        except ProviderRejected as refusal:
            explain(self.client, given.service, str(given.dataset_id), refusal, order.when_busy)
        return Run(given.service, training.model_id).handle()

    def _retrain(self, order: StartOrder, given: RetrainParameters) -> Handle:
        asked_at = self._clock.now()
        sent_at = order.sent_at or asked_at
        try:
            before, said_at = self.client.training(given.service, given.model_id)
        except ProviderJobMissing as exc:
            _reject(f"model {given.model_id} does not exist there; it may have been deleted", exc)
        except ProviderReplyInvalid as exc:
            raise ProviderUnavailable(
                f"nothing was sent: {exc}", provider="Einstein", operation="retrain a model"
            ) from exc
        if STATUS_MAP.get(before.status) in ACTIVE:
            raise_busy(before, order.when_busy)
        if given.learning_rate is not None and before.model_type == "image-detection":
            _reject(f"learningRate: {given.model_id} is a detection model, which takes none")
        if (wait := quiet_again_in(before, service_time(sent_at, said_at, asked_at))) > 0:
            raise ProviderUnavailable(
                f"model {given.model_id} was changed just now; its retraining is sent a little "
                "later, so that the two trainings can be told apart",
                provider="Einstein",
                operation="retrain a model",
                retry_after_seconds=wait,
            )
        try:
            answer = self.client.retrain(given.service, given.form())
        except ProviderRejected as refusal:
            if before.dataset_id is None:
                raise
            explain(self.client, given.service, before.dataset_id, refusal, order.when_busy)
        return accepted_run(given, before, answer, sent_at).handle()

    def find(self, order: StartOrder) -> Handle | None:
        given = _parameters(order)
        asked_at = self._clock.now()
        try:
            if isinstance(given, TrainParameters):
                found = find_started(self.client, given, order.job_id)
                return None if found is None else Run(given.service, found.model_id).handle()
            training, said_at = self.client.training(given.service, given.model_id)
        except ProviderJobMissing:
            return None  # No dataset or no model: another start would be refused as well.
        there = order.sent_at and service_time(order.sent_at, said_at, asked_at)
        run = started_run(given, training, order.sent_at, there)
        return None if run is None else run.handle()

    # ---------------------------------------- watched to the end

    def poll(self, handle: Handle) -> Observation:
        seen_at = self._clock.now()
        run = Run.of(handle)
        training, _ = self.client.training(run.service, run.model_id)
        if run.is_before(training, seen_at):
            return of_the_one_before(training, seen_at)
        message = self.client.http.redact(message_of(training))[:MAX_MESSAGE]
        measured = self._performance(run, training, seen_at)
        return of_training(run, training, seen_at, message, measured)

    def _performance(self, run: Run, training: Training, seen_at: datetime) -> Performance:
        """Metrics and curve exist once it has succeeded. That they cannot be read just now keeps
        the end back for a while; that they cannot be read at all does not."""
        if STATUS_MAP.get(training.status) is not State.SUCCEEDED:
            return performance(training)
        ended_at = training.updated_at
        try:
            metrics = self.client.metrics(run.service, run.model_id)
            return performance(training, metrics.metrics_data, self._curve(run))
        except (ProviderUnavailable, ProviderThrottled):
            if ended_at and (seen_at - ended_at).total_seconds() < METRICS_AWAITED_SECONDS:
                raise
        except ProviderError:
            pass
        return performance(training)

    def _curve(self, run: Run) -> list[CurvePoint]:
        """All points, up to 1,000: on 40 pages of 25, as documented, or on fewer."""
        points: list[CurvePoint] = []
        for _ in range(MAX_CURVE_PAGES):
            page = self.client.curve(run.service, run.model_id, offset=len(points)).data
            if not page or (points and page[0] == points[0]):
                break  # At its end; or the service begins anew, whatever it is asked for.
            points += page
            if len(points) >= MAX_EPOCHS:
                break
        return points[:MAX_EPOCHS]

    # ---------------------------------------- abilities, had or lacking

    def cancel(self, handle: Handle) -> None:
        del handle
        raise NotSupported("Einstein has no call to cancel a training; it runs to its own end")

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        del handle, lines
        raise NotSupported("Einstein has no log call; a training's learning curve is the nearest")

    def forget(self, handle: Handle) -> None:
        """Nothing of a training is kept on this machine."""

    def check(self) -> str:
        plans = len(self.client.usage().data)
        return f"Einstein answered: {plans} month{'' if plans == 1 else 's'} of usage in this plan"

    def delete(self, handle: Handle) -> None:
        """Delete the model of an ended training at the service.

        Raises:
            ProviderRejected: it has not ended.
            ProviderJobMissing: it is gone already.
        """
        run = Run.of(handle)
        training, _ = self.client.training(run.service, run.model_id)
        if STATUS_MAP.get(training.status) not in END_STATES:
            _reject(f"the model is {training.status}; only one at rest is deleted")
        self.client.delete_model(run.service, run.model_id)

    def secrets(self) -> Sequence[str]:
        return self.client.http.secrets()

    def close(self) -> None:
        self.client.close()


def _options(connection: str, given: object) -> EinsteinOptions:
    try:
        return EinsteinOptions.model_validate(given)
    except ValidationError as exc:
        raise ConfigInvalid(
            f"connection {connection} needs the option account, its e-mail address, besides what "
            f"is wrong in: {wrong_places(exc)}"
        ) from exc


def _parameters(order: StartOrder) -> TrainParameters | RetrainParameters:
    if order.kind == "retrain":
        return _read(order, RetrainParameters)
    return _read(order, TrainParameters)


def _read(order: StartOrder, kind: type[Given]) -> Given:
    return parameters_of(
        order, kind, what=f"a {order.kind}", provider="Einstein", operation="start a training"
    )


def _reject(why: str, cause: Exception | None = None) -> NoReturn:
    raise ProviderRejected(why, provider="Einstein", operation="start a training") from cause
