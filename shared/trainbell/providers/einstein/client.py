"""Einstein's HTTP calls, one method each. No sleeping, and no retries but one: a token that the
service no longer takes is renewed, and the refused call sent once more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from trainbell.errors import ProviderAuthFailed
from trainbell.providers.einstein.access_token import AccessToken
from trainbell.providers.einstein.multipart import encoded
from trainbell.providers.einstein.vendor_models import (
    CurvePage,
    Dataset,
    Metrics,
    ModelPage,
    Training,
    Usage,
)
from trainbell.providers.http import ServiceHttp, path_segment
from trainbell.providers.service_call import Call, Effect, Reply

MODELS_ON_A_PAGE = 100
POINTS_ON_A_PAGE = 100
MAX_TRAINING_BYTES = 1_000_000


class EinsteinClient:
    """`service` is `vision` or `language`. Errors are those of `providers.http_errors`, and those
    of getting a token."""

    def __init__(self, http: ServiceHttp, token: AccessToken) -> None:
        self.http = http
        self._token = token

    def train(self, service: str, form: Mapping[str, str]) -> Training:
        return self._start(f"/v2/{service}/train", "train a dataset", form)

    def retrain(self, service: str, form: Mapping[str, str]) -> Training:
        return self._start(f"/v2/{service}/retrain", "retrain a model", form)

    def training(self, service: str, model_id: str) -> tuple[Training, datetime | None]:
        """The latest training of a model, and what time it was at the service.

        Raises:
            ProviderJobMissing: no such model.
        """
        call = Call(
            operation="get a training's status",
            path=f"/v2/{service}/train/{path_segment(model_id)}",
            missing_is_job=True,
            max_bytes=MAX_TRAINING_BYTES,
        )
        reply = self._send(call)
        return reply.model(Training), _date_of(reply)

    def models(
        self, service: str, dataset_id: str, *, offset: int = 0, count: int = MODELS_ON_A_PAGE
    ) -> ModelPage:
        """One page of a dataset's models. Raises ProviderJobMissing where there is no dataset."""
        call = Call(
            operation="list a dataset's models",
            path=f"/v2/{service}/datasets/{path_segment(dataset_id)}/models",
            query={"offset": offset, "count": count},
            missing_is_job=True,
        )
        return self._send(call).model(ModelPage)

    def dataset(self, service: str, dataset_id: str) -> Dataset:
        """Raises ProviderJobMissing."""
        call = Call(
            operation="get a dataset",
            path=f"/v2/{service}/datasets/{path_segment(dataset_id)}",
            missing_is_job=True,
        )
        return self._send(call).model(Dataset)

    def metrics(self, service: str, model_id: str) -> Metrics:
        call = Call(
            operation="get a model's metrics",
            path=f"/v2/{service}/models/{path_segment(model_id)}",
            missing_is_job=True,
        )
        return self._send(call).model(Metrics)

    def curve(
        self, service: str, model_id: str, *, offset: int = 0, count: int = POINTS_ON_A_PAGE
    ) -> CurvePage:
        """A part of the learning curve, in order of epochs."""
        call = Call(
            operation="get a model's learning curve",
            path=f"/v2/{service}/models/{path_segment(model_id)}/lc",
            query={"offset": offset, "count": count},
            missing_is_job=True,
        )
        return self._send(call).model(CurvePage)

    def delete_model(self, service: str, model_id: str) -> None:
        """Ask for a model to be deleted; that takes the service a while.

        Raises:
            ProviderJobMissing: it is gone already.
        """
        call = Call(
            operation="delete a model",
            method="DELETE",
            path=f"/v2/{service}/models/{path_segment(model_id)}",
            effect=Effect.CHANGE,
            missing_is_job=True,
        )
        self._send(call)

    def usage(self) -> Usage:
        return self._send(Call(operation="get the usage", path="/v2/apiusage")).model(Usage)

    def close(self) -> None:
        self.http.close()
        self._token.close()

    def _start(self, path: str, operation: str, form: Mapping[str, str]) -> Training:
        content, content_type = encoded(form)
        call = Call(
            operation=operation,
            method="POST",
            path=path,
            content=content,
            content_type=content_type,
            effect=Effect.START,
            max_bytes=MAX_TRAINING_BYTES,
        )
        return self._send(call).model(Training)

    def _send(self, call: Call) -> Reply:
        """A token may end early (a clock that differs, a restart there), and 401 says that nothing
        was done: so with a new one the same call, even a start, is safe to send."""
        try:
            return self.http.send(call)
        except ProviderAuthFailed as refusal:
            by_the_call = refusal.operation == call.operation
            if not by_the_call or refusal.http_status != HTTPStatus.UNAUTHORIZED:
                raise
        return self.http.send(call)


def _date_of(reply: Reply) -> datetime | None:
    try:
        at = parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
