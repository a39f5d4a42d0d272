"""DeepVA as a provider: start, find, poll. The service has no cancel and no log call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from trainbell.domain.job import Performance, State
from trainbell.domain.observation import Observation
from trainbell.errors import (
    NotSupported,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderUnavailable,
)
from trainbell.ports import Clock, Handle, ProviderContext, StartOrder
from trainbell.providers.credentials import HeaderSecret, secret_reference, service_url
from trainbell.providers.deepva.client import DeepVAClient
from trainbell.providers.deepva.parameters import TrainParameters
from trainbell.providers.deepva.status_map import STATUS_MAP
from trainbell.providers.deepva.vendor_models import Training
from trainbell.providers.http import ServiceHttp
from trainbell.providers.orders import marker, name_in, parameters_of

MAX_PAGES = 100
OVERLAP = 10
"""How many trainings of a page are read again with the next one."""
MAX_MESSAGE = 2000


class DeepVA:
    """One connection's view of DeepVA. The handle is `{"id": …}`."""

    def __init__(self, client: DeepVAClient, clock: Clock) -> None:
        self.client = client
        self._clock = clock

    @classmethod
    def from_context(cls, context: ProviderContext) -> DeepVA:
        secret = HeaderSecret(context.secrets, secret_reference(context), scheme="Key")
        http = ServiceHttp(
            provider="DeepVA",
            base_url=service_url(context),
            credential=secret,
            clock=context.clock,
            transport=context.transport,
        )
        return cls(DeepVAClient(http), context.clock)

    def start(self, order: StartOrder) -> Handle:
        """The service knows no idempotency key: a repeat would start a second training and make a
        second version, so a marker with the job's id goes into the changelog for `find`."""
        return {"id": self.client.start_training(_parameters(order).wire(order.job_id)).id}

    def find(self, order: StartOrder) -> Handle | None:
        """The training with this order's marker and dataset, from all pages of the list.

        The order of the list is not documented, and it may grow or shrink while it is read. So
        pages overlap, and each must still hold the last training of the page before: otherwise
        something was missed, and "not found" would be a guess.

        Raises:
            ProviderUnavailable: the list changed too much; look again.
            ProviderReplyInvalid: more trainings than can be looked through.
        """
        dataset = _parameters(order).source_dataset_id
        sign = marker(order.job_id)
        offset = 0
        last_id: str | None = None
        for _ in range(MAX_PAGES):
            page = self.client.trainings(offset=offset)
            for training in page.data:
                if sign in (training.output_model_changelog or "") and _is_on(training, dataset):
                    return {"id": training.id}
            if last_id is not None and all(t.id != last_id for t in page.data):
                _changed_meanwhile()
            if offset + len(page.data) >= page.total:
                return None
            if len(page.data) <= OVERLAP:
                _changed_meanwhile()
            last_id = page.data[-1].id
            offset += len(page.data) - OVERLAP
        raise ProviderReplyInvalid(
            f"DeepVA lists more than {offset} trainings, too many to look for a lost start; "
            "delete ended ones there",
            provider="DeepVA",
            operation="list trainings",
        )

    def poll(self, handle: Handle) -> Observation:
        seen_at = self._clock.now()
        training = self.client.training(_id_of(handle))
        message = training.error or _lineage(training)
        return Observation(
            seen_at=seen_at,
            vendor_status=training.state,
            state=STATUS_MAP.get(training.state),
            progress=training.progress,
            message=self.client.http.redact(message)[:MAX_MESSAGE] if message else None,
            performance=_performance(training),
            started_at=training.time_started,
            ended_at=training.time_completed,
        )

    def cancel(self, handle: Handle) -> None:
        del handle
        raise NotSupported("DeepVA has no call to cancel a training; it runs to its own end")

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        del handle, lines
        raise NotSupported("DeepVA has no call to read a training's log")

    def forget(self, handle: Handle) -> None:
        """Nothing of a training is kept on this machine."""

    def check(self) -> str:
        total = self.client.trainings(limit=1).total
        return f"DeepVA answered: {total} training{'' if total == 1 else 's'} in this account"

    def delete(self, handle: Handle) -> None:
        """Forget an ended training at the service.

        Raises:
            ProviderRejected: it has not ended; what a delete would do then is not documented.
            ProviderJobMissing: it is gone already.
        """
        training = self.client.training(_id_of(handle))
        state = STATUS_MAP.get(training.state)
        if state not in (State.SUCCEEDED, State.FAILED):
            raise ProviderRejected(
                f"the training is {training.state}; only an ended one is deleted",
                provider="DeepVA",
                operation="delete a training",
            )
        self.client.delete_training(training.id)

    def close(self) -> None:
        self.client.close()


def _parameters(order: StartOrder) -> TrainParameters:
    return parameters_of(order, TrainParameters, provider="DeepVA", operation="start a training")


def _id_of(handle: Handle) -> str:
    return name_in(handle, "id", what="training id", provider="DeepVA", operation="get a training")


def _is_on(training: Training, dataset: str) -> bool:
    """Where the service names no dataset (it was deleted, say), the marker alone is proof."""
    source = (training.source_dataset or {}).get("id")
    return not isinstance(source, str) or source.casefold() == dataset.casefold()


def _changed_meanwhile() -> NoReturn:
    raise ProviderUnavailable(
        "DeepVA's list of trainings changed while it was read; it has to be read again",
        provider="DeepVA",
        operation="list trainings",
    )


def _lineage(training: Training) -> str | None:
    """What is trained on what, in a sentence: `face training on dataset Test (version 1.0)`."""
    source = training.source_dataset or {}
    name = source.get("name") or source.get("id")
    if not name:
        return None
    version = source.get("version")
    kind = training.type or "a"
    return f"{kind} training on dataset {name}" + (f" (version {version})" if version else "")


def _performance(training: Training) -> Performance:
    """The service measures nothing but its own time. `artifacts` link dataset and model by id, and
    keep of the dataset what it was called then; `get_training` shows it whole."""
    artifacts: dict[str, str] = {}
    for name, thing in (
        ("source_dataset", training.source_dataset),
        ("output_model", training.output_model),
    ):
        identity = (thing or {}).get("id")
        if isinstance(identity, str | int) and identity != "":
            artifacts[name] = f"deepva:{name.rpartition('_')[2]}s/{identity}"
    for fact in ("name", "type", "version"):
        told = (training.source_dataset or {}).get(fact)
        if isinstance(told, str | int | float) and told != "":
            artifacts[f"source_dataset_{fact}"] = str(told)
    cost = {} if training.duration is None else {"service_seconds": training.duration}
    return Performance(cost=cost, artifacts=artifacts)
