"""DeepVA's HTTP calls, one method each. No retries, no sleeping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainbell.providers.deepva.vendor_models import Training, TrainingPage
from trainbell.providers.http import ServiceHttp, path_segment
from trainbell.providers.service_call import Call, Effect

PAGE_SIZE = 100
MAX_TRAINING_BYTES = 1_000_000


class DeepVAClient:
    """Errors are those of `providers.http_errors`."""

    def __init__(self, http: ServiceHttp) -> None:
        self.http = http

    def start_training(self, body: Mapping[str, Any]) -> Training:
        call = Call(
            operation="start a training",
            method="POST",
            path="/trainings/",
            json=body,
            effect=Effect.START,
            max_bytes=MAX_TRAINING_BYTES,
        )
        return self.http.send(call).model(Training)

    def training(self, training_id: str) -> Training:
        """Raises ProviderJobMissing."""
        call = Call(
            operation="get a training",
            path=f"/trainings/{path_segment(training_id)}/",
            missing_is_job=True,
            max_bytes=MAX_TRAINING_BYTES,
        )
        return self.http.send(call).model(Training)

    def trainings(self, *, offset: int = 0, limit: int = PAGE_SIZE) -> TrainingPage:
        """One page of all trainings, in the service's own order."""
        call = Call(
            operation="list trainings",
            path="/trainings/",
            query={"limit": limit, "offset": offset},
        )
        return self.http.send(call).model(TrainingPage)

    def delete_training(self, training_id: str) -> None:
        """Delete an ended training. Its model stays.

        The documentation prints this call without an id; its sibling resources have one. What it
        does to a training that still runs is not documented, so the caller makes sure of the end.

        Raises:
            ProviderJobMissing: it is gone already.
        """
        call = Call(
            operation="delete a training",
            method="DELETE",
            path=f"/trainings/{path_segment(training_id)}/",
            effect=Effect.CHANGE,
            missing_is_job=True,
        )
        self.http.send(call)

    def close(self) -> None:
        self.http.close()
