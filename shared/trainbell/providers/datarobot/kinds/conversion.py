"""`convert`: a version's files made into a JAR."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trainbell.domain.job import Performance, State
from trainbell.domain.observation import Observation
from trainbell.errors import ProviderJobMissing, ProviderRejected
from trainbell.ports import Handle, StartOrder
from trainbell.providers.datarobot.kinds.kind import JobKind, id_of, parameters_of
from trainbell.providers.datarobot.parameters import ConvertParameters
from trainbell.providers.datarobot.sameness import sent
from trainbell.providers.datarobot.status_map import CONVERSION_STATUSES, conversion_word
from trainbell.providers.datarobot.vendor_models import Conversion

UNPROCESSABLE = 422
MAX_DATASETS = 50


class ConversionKind(JobKind):
    title = "a conversion"

    def start(self, order: StartOrder) -> Handle:
        given = parameters_of(order, ConvertParameters)
        made = self.client.conversions.start(
            given.custom_model_id, given.custom_model_version_id, given.main_program_item_id
        )
        return _handle(given, made)

    def find(self, order: StartOrder) -> Handle | None:
        """The newest conversion of this file that is not older than the start."""
        given = parameters_of(order, ConvertParameters)
        try:
            listing = self.client.conversions.list(
                given.custom_model_id, given.custom_model_version_id
            )
        except ProviderJobMissing:
            return None  # The version itself is not there.
        when = sent(order, self.clock, listing.service_time)
        ours = [
            each
            for each in listing.items
            if when.made(each.created)
            and each.main_program_item_id in (None, given.main_program_item_id)
        ]
        if not ours:
            return None
        newest = max(ours, key=lambda each: (each.created is not None, each.created))
        return _handle(given, newest.id)

    def poll(self, handle: Handle, seen_at: datetime) -> Observation:
        conversion = self.client.conversions.get(
            id_of(handle, "model"), id_of(handle, "version"), id_of(handle, "id")
        )
        word = conversion_word(
            conversion.conversion_in_progress,
            conversion.conversion_succeeded,
            bool(conversion.should_stop),
        )
        state = CONVERSION_STATUSES.get(word)
        failed = state is State.FAILED
        return Observation(
            seen_at=seen_at,
            vendor_status=word,
            state=state,
            message=self.message(_last_line(conversion.log_message)) if failed else None,
            performance=_performance(conversion),
            started_at=conversion.created,
        )

    def cancel(self, handle: Handle) -> None:
        """A 422 says that it is not active: the next poll sees how it ended."""
        try:
            self.client.conversions.stop(
                id_of(handle, "model"), id_of(handle, "version"), id_of(handle, "id")
            )
        except ProviderRejected as exc:
            if exc.http_status != UNPROCESSABLE:
                raise

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        conversion = self.client.conversions.get(
            id_of(handle, "model"), id_of(handle, "version"), id_of(handle, "id")
        )
        return (conversion.log_message or "").splitlines()[-lines:]


def _handle(given: ConvertParameters, conversion_id: str) -> Handle:
    return {
        "kind": "convert",
        "model": given.custom_model_id,
        "version": given.custom_model_version_id,
        "id": conversion_id,
    }


def _last_line(text: str | None) -> str | None:
    lines = (text or "").strip().splitlines()
    return lines[-1] if lines else None


def _performance(conversion: Conversion) -> Performance:
    """The datasets that the converted program makes, as artifacts."""
    datasets = (conversion.generated_metadata or {}).get("outputDatasets")
    if not isinstance(datasets, list):
        return Performance()
    names = [str(each) for each in datasets[:MAX_DATASETS]]
    return Performance(artifacts={f"output_{n}": name for n, name in enumerate(names, 1)})
