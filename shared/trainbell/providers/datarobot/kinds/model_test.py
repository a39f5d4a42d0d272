"""`test`: a version makes predictions on a dataset, and up to four checks are made.

The answer to a start names the asynchronous status only, and the test itself is what can be read,
cancelled and whose log can be tailed. So a start is followed by a look at the list; if that look
fails, the start's outcome is unclear although it was taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trainbell.domain.job import Performance
from trainbell.domain.observation import Observation
from trainbell.errors import ProviderError, ProviderRejected, StartOutcomeUnknown
from trainbell.ports import Handle, StartOrder
from trainbell.providers.datarobot.kinds.kind import JobKind, id_of, parameters_of
from trainbell.providers.datarobot.parameters import ModelTestParameters
from trainbell.providers.datarobot.sameness import fits, sent
from trainbell.providers.datarobot.status_map import TEST_STATUSES
from trainbell.providers.datarobot.vendor_models import Check, ModelTest

CONFLICT = 409
_ACTIVE = frozenset({"not_tested", "queued", "in_progress"})
_COMPARED = (
    "datasetId",
    "datasetVersionId",
    "desiredMemory",
    "maximumMemory",
    "replicas",
    "requiresHa",
    "networkEgressPolicy",
    "resourceBundleId",
)


class ModelTestKind(JobKind):
    title = "a test"

    def start(self, order: StartOrder) -> Handle:
        given = parameters_of(order, ModelTestParameters)
        self.client.tests.start(given.wire())
        try:
            found = self._search(order, given)
        except ProviderError as exc:
            raise _taken_but_not_seen(str(exc)) from exc
        if found is None:
            raise _taken_but_not_seen("it is not in the list yet")
        return found

    def find(self, order: StartOrder) -> Handle | None:
        return self._search(order, parameters_of(order, ModelTestParameters))

    def poll(self, handle: Handle, seen_at: datetime) -> Observation:
        test = self.client.tests.get(id_of(handle, "id"))
        state = TEST_STATUSES.get(test.overall_status)
        ended = state is not None and state.is_end
        running = [name for name, c in test.testing_status.items() if c.status == "in_progress"]
        return Observation(
            seen_at=seen_at,
            vendor_status=test.overall_status,
            state=state,
            stage=running[0] if running and not ended else None,
            message=self.message(_in_words(test.testing_status)),
            error_details=_troubles(test.testing_status) if ended else None,
            performance=_performance(test),
            started_at=None if test.overall_status == "queued" else test.created,
            ended_at=test.completed_at if ended else None,
        )

    def cancel(self, handle: Handle) -> None:
        """A 409 says that it has ended already, which the next poll sees."""
        try:
            self.client.tests.cancel(id_of(handle, "id"))
        except ProviderRejected as exc:
            if exc.http_status != CONFLICT:
                raise

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        return self.client.tests.tail(id_of(handle, "id"), lines)[-lines:]

    def _search(self, order: StartOrder, given: ModelTestParameters) -> Handle | None:
        """The newest test that can be of this start: a model has one running test at most."""
        listing = self.client.tests.list(given.custom_model_id)
        when = sent(order, self.clock, listing.service_time)
        ours = [
            test
            for test in listing.items
            if when.made(test.created) and _is_of(test, given) and _goes_on(test, when.made)
        ]
        if not ours:
            return None
        newest = max(ours, key=lambda test: (test.created is not None, test.created))
        return {"kind": "test", "id": newest.id}


def _is_of(test: ModelTest, given: ModelTestParameters) -> bool:
    version = (test.custom_model_version or {}).get("id")
    asked = {key: value for key, value in given.wire().items() if key in _COMPARED}
    return version == given.custom_model_version_id and fits(asked, test.model_extra or {})


def _goes_on(test: ModelTest, made: Any) -> bool:
    """Not ended before the start was sent."""
    return test.completed_at is None or bool(made(test.completed_at))


def _taken_but_not_seen(why: str) -> StartOutcomeUnknown:
    return StartOutcomeUnknown(
        f"DataRobot took the test, but its id could not be read: {why}",
        provider="DataRobot",
        operation="start a test",
    )


def _in_words(checks: Mapping[str, Check]) -> str | None:
    """`errorCheck failed: no predictions; sideEffects warning`: what did not simply succeed."""
    told = [
        f"{name} {check.status}" + (f": {check.message}" if check.message else "")
        for name, check in checks.items()
        if check.status not in (None, "succeeded", "skipped") and check.status not in _ACTIVE
    ]
    return "; ".join(told) or None


def _troubles(checks: Mapping[str, Check]) -> dict[str, Any] | None:
    """Each check that failed or was aborted, in the service's own words."""
    troubles = {
        name: {"status": check.status, "message": check.message}
        for name, check in checks.items()
        if check.status in ("failed", "aborted")
    }
    return troubles or None


def _performance(test: ModelTest) -> Performance:
    """A check's status is a word. As a number it is a 1 under that word, so none is lost, and
    `metrics` counts them: `{"checks_succeeded": 3, "checks_warning": 1}`."""
    ended = {
        name: check.status
        for name, check in test.testing_status.items()
        if check.status is not None and check.status not in _ACTIVE
    }
    counts = Counter(ended.values())
    image = test.custom_model_image_id
    return Performance(
        metrics={f"checks_{word}": float(count) for word, count in sorted(counts.items())},
        per_tag={name: {word: 1.0} for name, word in ended.items()},
        artifacts={"image": f"datarobot:customModelImages/{image}"} if image else {},
    )
