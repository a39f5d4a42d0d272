"""`feature_impact`: how much each feature matters to a version.

The service computes one at a time for a version, and a second start is led to the first by a 404
with its `jobId`: that job is joined. So the version alone finds a lost start again. What is found
so has no status to read, and is watched by whether the result is there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from trainbell.domain.job import Performance, State
from trainbell.domain.observation import Observation
from trainbell.errors import ProviderJobMissing, ProviderRejected
from trainbell.ports import Handle, StartOrder
from trainbell.providers.datarobot.kinds.asynchronous import AsynchronousKind
from trainbell.providers.datarobot.kinds.kind import id_of, parameters_of
from trainbell.providers.datarobot.locations import Named
from trainbell.providers.datarobot.parameters import FeatureImpactParameters
from trainbell.providers.datarobot.status_map import IMPACT_STATUSES
from trainbell.providers.datarobot.vendor_models import FeatureImpact

UNPROCESSABLE = 422


class FeatureImpactKind(AsynchronousKind):
    title = "a feature impact"

    def start(self, order: StartOrder) -> Handle:
        given = parameters_of(order, FeatureImpactParameters)
        status = self.client.impacts.start(
            given.custom_model_id, given.custom_model_version_id, given.row_count
        )
        return self.handle(order, status)

    def find(self, order: StartOrder) -> Handle | None:
        """Under way, or there with the same number of rows: then it is what was asked for. The
        result tells no time; one of yesterday has the same input, and so the same numbers."""
        given = parameters_of(order, FeatureImpactParameters)
        found = _handle(given)
        try:
            impact = self.client.impacts.get(given.custom_model_id, given.custom_model_version_id)
        except ProviderJobMissing:
            return None
        except ProviderRejected as exc:
            if exc.http_status != UNPROCESSABLE:
                raise
            return found if _is_in_progress(exc) else None
        return found if impact.row_count == given.row_count else None

    def poll(self, handle: Handle, seen_at: datetime) -> Observation:
        if "status" not in handle:
            return self._poll_result(handle, seen_at)
        try:
            seen = super().poll(handle, seen_at)
        except ProviderJobMissing:
            # Records may go away, and a joined `jobId` is not promised to be one.
            return self._poll_result(handle, seen_at)
        if seen.state is not State.SUCCEEDED:
            return seen
        return replace(seen, performance=self._performance(handle))

    def is_of(self, order: StartOrder, made: Named) -> bool:
        given = parameters_of(order, FeatureImpactParameters)
        return made == Named(given.custom_model_id, given.custom_model_version_id)

    def handle(self, order: StartOrder, status: str) -> Handle:
        return {**_handle(parameters_of(order, FeatureImpactParameters)), "status": status}

    def _poll_result(self, handle: Handle, seen_at: datetime) -> Observation:
        try:
            performance = self._performance(handle)
        except ProviderRejected as exc:
            if not _is_in_progress(exc):
                raise
            word, performance = "in progress", Performance()
        else:
            word = "available"
        return Observation(
            seen_at=seen_at,
            vendor_status=word,
            state=IMPACT_STATUSES[word],
            performance=performance,
        )

    def _performance(self, handle: Handle) -> Performance:
        return _numbers(self.client.impacts.get(id_of(handle, "model"), id_of(handle, "version")))


def _handle(given: FeatureImpactParameters) -> dict[str, str]:
    return {
        "kind": "feature_impact",
        "model": given.custom_model_id,
        "version": given.custom_model_version_id,
    }


def _is_in_progress(error: ProviderRejected) -> bool:
    """One 422 has three meanings; the others would have refused the start, too."""
    return error.http_status == UNPROCESSABLE and "progress" in str(error).casefold()


def _numbers(impact: FeatureImpact) -> Performance:
    """Per feature, the normalized and the plain impact, the strongest first."""
    ranked = sorted(impact.feature_impacts, key=lambda each: -(each.impact_normalized or 0.0))
    per_tag = {}
    for each in ranked:
        numbers = {
            "impactNormalized": each.impact_normalized,
            "impactUnnormalized": each.impact_unnormalized,
        }
        per_tag[each.feature_name] = {k: v for k, v in numbers.items() if v is not None}
    metrics = {"features": float(len(per_tag))}
    if impact.row_count is not None:
        metrics["rowCount"] = float(impact.row_count)
    return Performance(metrics=metrics, per_tag=per_tag)
