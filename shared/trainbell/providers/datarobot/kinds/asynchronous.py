"""Kinds of which the service shows nothing but an asynchronous status: 202, then `/status/{id}/`,
then a 303 to what was made.

A lost start can only be looked up in the list of all statuses, whose records do not say what they
are about before they have ended. So while a record runs that is not older than the start, the
look-up is undecided and is made again; once it has ended well, the link to what was made decides.
A record that ended badly is no reason to wait: nothing runs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from trainbell.domain.job import Performance, State
from trainbell.domain.observation import Observation
from trainbell.errors import ProviderJobMissing, ProviderUnavailable
from trainbell.ports import Handle, StartOrder
from trainbell.providers.datarobot.kinds.kind import JobKind, id_of
from trainbell.providers.datarobot.locations import Named, named
from trainbell.providers.datarobot.sameness import sent
from trainbell.providers.datarobot.status_map import ASYNC_STATUSES
from trainbell.providers.datarobot.vendor_models import AsyncStatus


class AsynchronousKind(JobKind):
    """The handle holds the status' id, and the model's."""

    other_types: ClassVar[frozenset[str]] = frozenset(
        {
            "CustomModelFeatureImpact",
            "Testing",
            "ProjectPermanentDeletion",
        }
    )
    """Documented types of statuses that are surely of another kind."""

    @abstractmethod
    def is_of(self, order: StartOrder, made: Named) -> bool | None:
        """Whether what was made, as its link names it, is what the order asked for. None where the
        link names too little to tell."""

    @abstractmethod
    def handle(self, order: StartOrder, status: str) -> Handle: ...

    def find(self, order: StartOrder) -> Handle | None:
        listing = self.client.statuses.list()
        when = sent(order, self.clock, listing.service_time)
        undecided = False
        for status in listing.items:
            if status.type in self.other_types or not when.made(status.created):
                continue
            verdict = self._verdict(order, status)
            if verdict is True:
                return self.handle(order, status.status_id)
            undecided = undecided or verdict is None
        if undecided:
            raise ProviderUnavailable(
                f"DataRobot has work of this time that may be {self.title}, and does not say what "
                "it is before it has ended: it is looked up again",
                provider="DataRobot",
                operation="list statuses",
            )
        return None

    def poll(self, handle: Handle, seen_at: datetime) -> Observation:
        status = self.client.statuses.get(id_of(handle, "status"))
        return self.observation(status, seen_at)

    def observation(self, status: AsyncStatus, seen_at: datetime) -> Observation:
        state = ASYNC_STATUSES.get(status.status)
        failed = state in (State.FAILED, State.CANCELLED)
        details = {
            "code": status.code,
            "message": status.message,
            "description": status.description,
        }
        return Observation(
            seen_at=seen_at,
            vendor_status=status.status,
            state=state,
            message=self.message(status.message or status.description),
            vendor_code=str(status.code) if failed and status.code else None,
            error_details=_told(details) if failed else None,
            performance=Performance(artifacts=_artifacts(status.location)),
            started_at=status.created,
        )

    def _verdict(self, order: StartOrder, status: AsyncStatus) -> bool | None:
        """Whether it is of this order; None where that cannot be told (yet)."""
        state = ASYNC_STATUSES.get(status.status)
        if state in (State.FAILED, State.CANCELLED):
            return False
        if state is not State.SUCCEEDED:
            return None
        try:
            made = named(self.client.statuses.get(status.status_id).location)
        except ProviderJobMissing:
            return None
        return None if made is None else self.is_of(order, made)


def _told(details: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in details.items() if value not in (None, "")}


def _artifacts(location: str | None) -> dict[str, str]:
    made = named(location)
    if made is None:
        return {}
    model = {"model": f"datarobot:customModels/{made.model}"}
    if made.version is None:
        return model
    return {**model, "version": f"{model['model']}/versions/{made.version}"}


def contains(asked: str | Sequence[str] | None, shown: Sequence[str]) -> bool:
    """Whether each path that was asked for is, or holds, one of those shown."""
    paths = [asked] if isinstance(asked, str) else list(asked or ())
    return all(any(_below(path, each) for each in shown) for path in paths)


def _below(path: str, shown: str) -> bool:
    folder = path.strip("/").removesuffix("*").rstrip("/")
    return shown.strip("/") == folder or shown.strip("/").startswith(f"{folder}/") or not folder
