"""`build_dependencies`: the image with a version's dependencies.

A version has one build at most, so the version finds it, and the time tells whether it is this
start's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from trainbell.domain.observation import Observation
from trainbell.errors import ProviderJobMissing, ProviderRejected
from trainbell.ports import Handle, StartOrder
from trainbell.providers.datarobot.kinds.kind import JobKind, id_of, parameters_of
from trainbell.providers.datarobot.parameters import BuildParameters
from trainbell.providers.datarobot.sameness import sent
from trainbell.providers.datarobot.status_map import BUILD_STATUSES, NOT_STARTED
from trainbell.providers.vendor_values import utc_time

CONFLICT = 409
UNPROCESSABLE = 422
SETTLED = timedelta(seconds=60)
"""After how long a build that was accepted and is not there any more was cancelled: there is no
word for that. Before, the service may only be late in showing it."""


class BuildKind(JobKind):
    title = "a dependency build"

    def start(self, order: StartOrder) -> Handle:
        given = parameters_of(order, BuildParameters)
        self.client.builds.start(given.custom_model_id, given.custom_model_version_id)
        return self._handle(order, given)

    def find(self, order: StartOrder) -> Handle | None:
        given = parameters_of(order, BuildParameters)
        try:
            build = self.client.builds.get(given.custom_model_id, given.custom_model_version_id)
        except ProviderJobMissing:
            return None  # The version itself is not there.
        except ProviderRejected as exc:
            if exc.http_status == UNPROCESSABLE:
                return None
            raise
        made = sent(order, self.clock, None).made(build.build_start)
        return self._handle(order, given) if made else None

    def poll(self, handle: Handle, seen_at: datetime) -> Observation:
        try:
            build = self.client.builds.get(id_of(handle, "model"), id_of(handle, "version"))
        except ProviderRejected as exc:
            if exc.http_status != UNPROCESSABLE:
                raise
            return self._gone(handle, seen_at, exc)
        state = BUILD_STATUSES.get(build.build_status)
        ended = state is not None and state.is_end
        return Observation(
            seen_at=seen_at,
            vendor_status=build.build_status,
            state=state,
            started_at=build.build_start,
            ended_at=build.build_end if ended else None,
        )

    def cancel(self, handle: Handle) -> None:
        """409: it has ended already. 422: it is not there, or its image is in use. Either way the
        next poll says how it is."""
        try:
            self.client.builds.cancel(id_of(handle, "model"), id_of(handle, "version"))
        except ProviderRejected as exc:
            if exc.http_status not in (CONFLICT, UNPROCESSABLE):
                raise

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        """There is none before the end."""
        try:
            log = self.client.builds.log(id_of(handle, "model"), id_of(handle, "version"))
        except ProviderJobMissing:
            return []
        except ProviderRejected as exc:
            if exc.http_status == UNPROCESSABLE:
                return []
            raise
        return log[-lines:]

    def _gone(self, handle: Handle, seen_at: datetime, exc: ProviderRejected) -> Observation:
        sent_at = utc_time(handle.get("sent_at"))
        if sent_at is None or seen_at - sent_at < SETTLED:
            raise ProviderJobMissing(
                str(exc), provider="DataRobot", operation=exc.operation, http_status=exc.http_status
            ) from exc
        return Observation(
            seen_at=seen_at,
            vendor_status=NOT_STARTED,
            state=BUILD_STATUSES[NOT_STARTED],
            message="the build was cancelled: the service has none any more",
        )

    def _handle(self, order: StartOrder, given: BuildParameters) -> Handle:
        sent_at = order.sent_at or order.requested_at or self.clock.now()
        return {
            "kind": "build_dependencies",
            "model": given.custom_model_id,
            "version": given.custom_model_version_id,
            "sent_at": sent_at.astimezone(UTC).isoformat(),
        }
