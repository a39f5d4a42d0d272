"""DataRobot as a provider: every call goes to the kind that the order or the handle names."""

from __future__ import annotations

from collections.abc import Sequence

from trainbell.domain.observation import Observation
from trainbell.errors import ProviderJobMissing, ProviderRejected
from trainbell.ports import Clock, Handle, ProviderContext, StartOrder
from trainbell.providers.datarobot.client import DataRobotClient
from trainbell.providers.datarobot.handed_files import HandedFiles
from trainbell.providers.datarobot.kinds import KINDS
from trainbell.providers.datarobot.kinds.kind import JobKind


class DataRobot:
    """One connection's view of DataRobot's custom models."""

    def __init__(
        self, client: DataRobotClient, clock: Clock, handed_files: HandedFiles | None = None
    ) -> None:
        self.client = client
        self.handed_files = handed_files or HandedFiles(None, clock)
        self._clock = clock
        self._kinds = {name: kind(client, clock) for name, kind in KINDS.items()}

    @classmethod
    def from_context(cls, context: ProviderContext) -> DataRobot:
        client = DataRobotClient.from_context(context)
        return cls(client, context.clock, HandedFiles(context.data_dir, context.clock))

    def start(self, order: StartOrder) -> Handle:
        """The service takes no idempotency key, name or marker; see `sameness` and the kinds for
        how `find` tells a lost start from others."""
        return self._kind_of_order(order).start(order)

    def find(self, order: StartOrder) -> Handle | None:
        return self._kind_of_order(order).find(order)

    def poll(self, handle: Handle) -> Observation:
        seen_at = self._clock.now()
        return self._kind_of_handle(handle).poll(handle, seen_at)

    def cancel(self, handle: Handle) -> None:
        """Raises NotSupported for the kinds that the service cannot cancel."""
        self._kind_of_handle(handle).cancel(handle)

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        """Raises NotSupported for the kinds that have none."""
        return self._kind_of_handle(handle).logs(handle, lines)

    def forget(self, handle: Handle) -> None:
        """Nothing of a job is kept on this machine."""

    def check(self) -> str:
        total = self.client.models.count()
        return f"DataRobot answered: {total} custom model{'' if total == 1 else 's'}"

    def close(self) -> None:
        self.client.close()

    def _kind_of_order(self, order: StartOrder) -> JobKind:
        try:
            return self._kinds[order.kind]
        except KeyError:
            raise ProviderRejected(
                f"DataRobot has no {order.kind!r}", provider="DataRobot", operation="start"
            ) from None

    def _kind_of_handle(self, handle: Handle) -> JobKind:
        try:
            return self._kinds[str(handle.get("kind"))]
        except KeyError:
            raise ProviderJobMissing(
                "the handle is of no kind of job", provider="DataRobot", operation="read a handle"
            ) from None
