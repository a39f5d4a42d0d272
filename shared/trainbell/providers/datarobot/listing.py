"""Paged lists, read to their end by offset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Generic

from trainbell.errors import ProviderReplyInvalid, ProviderUnavailable
from trainbell.providers.datarobot.vendor_models import Item, ListPage
from trainbell.providers.http import ServiceHttp
from trainbell.providers.service_call import Call

PAGE_SIZE = 100
MAX_PAGES = 100


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """A whole list, and the time by the service's own clock when its last page was made."""

    items: tuple[Item, ...]
    service_time: datetime | None


@dataclass(frozen=True, slots=True)
class ListCall(Generic[Item]):
    """How to ask for a list of these. `identity` is the field that tells its items apart."""

    operation: str
    path: str
    item: type[Item]
    query: Mapping[str, str | int] | None = None
    identity: str = "id"
    missing_is_job: bool = False

    def page(
        self, http: ServiceHttp, offset: int = 0, limit: int = PAGE_SIZE
    ) -> tuple[ListPage[Item], datetime | None]:
        """One page, and when the service made it."""
        reply = http.send(
            Call(
                operation=self.operation,
                path=self.path,
                query={**(self.query or {}), "offset": offset, "limit": limit},
                missing_is_job=self.missing_is_job,
            )
        )
        return reply.model(ListPage[self.item]), _time_of(reply.headers)  # type: ignore[name-defined]

    def all(self, http: ServiceHttp) -> Listing[Item]:
        """Every item.

        Raises:
            ProviderUnavailable: it changed while it was read, so that something may be missing.
            ProviderReplyInvalid: it does not end.
        """
        found: dict[object, Item] = {}
        offset = 0
        for _ in range(MAX_PAGES):
            page, at = self.page(http, offset)
            found |= {getattr(item, self.identity): item for item in page.data}
            offset += len(page.data)
            if page.next is None:
                if page.total_count is not None and len(found) < page.total_count:
                    raise ProviderUnavailable(
                        f"DataRobot's answer to {self.operation} changed while it was read",
                        provider="DataRobot",
                        operation=self.operation,
                    )
                return Listing(tuple(found.values()), at)
            if not page.data:
                break
        raise ProviderReplyInvalid(
            f"DataRobot's answer to {self.operation} does not end after {offset} items",
            provider="DataRobot",
            operation=self.operation,
        )


def _time_of(headers: Mapping[str, str]) -> datetime | None:
    try:
        at = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
