"""A connection's line of calls in DynamoDB, for any number of Lambda functions at once.

While the line is busy, one conditional update takes the next place, whatever others do: it adds to
the last place what stands there. Only the first call after a pause compares and swaps. Times are
whole microseconds since 1970, because DynamoDB can add numbers only.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from trainbell.domain.rate_budget import next_place, spacing_seconds
from trainbell.errors import StoreUnavailable
from trainbell.stores.dynamodb.calls import Item, Table, number
from trainbell.stores.dynamodb.errors import ConditionFailed
from trainbell.stores.dynamodb.table import budget_key

_ATTEMPTS = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_SILENCE_IS_OVER = "(attribute_not_exists(#silent_until) OR #silent_until <= #last_place)"


class DynamoDBRates:
    """See `ports.JobStore` for what is promised."""

    _table: Table

    def reserve_call(self, connection: str, calls_per_minute: float, now: datetime) -> datetime:
        """Raises StoreUnavailable after so many lost races that something must be wrong."""
        spacing = spacing_seconds(calls_per_minute)
        for _ in range(_ATTEMPTS):
            try:
                return self._queue_up(connection, spacing, now)
            except ConditionFailed as idle:
                place = _next_free(dict(idle.item), spacing, now)
                if self._begin_line(connection, dict(idle.item), place):
                    return place
        raise StoreUnavailable(f"too many callers at once ask for {connection}")

    def hold_calls(self, connection: str, until: datetime) -> None:
        try:
            self._table.update(
                budget_key(connection),
                "SET #silent_until = :until",
                "attribute_not_exists(#silent_until) OR #silent_until < :until",
                until=number(_micros(until)),
            )
        except ConditionFailed:
            return

    def lift_silence(self, connection: str) -> None:
        self._table.delete(budget_key(connection))

    def _queue_up(self, connection: str, spacing: float, now: datetime) -> datetime:
        step = timedelta(seconds=spacing)
        item = self._table.update(
            budget_key(connection),
            "SET #last_place = #last_place + :step",
            f"#last_place >= :busy_since AND {_SILENCE_IS_OVER}",
            step=number(step // _MICROSECOND),
            busy_since=number(_micros(now - step)),
        )
        return _moment(item, "last_place")

    def _begin_line(self, connection: str, seen: Item, place: datetime) -> bool:
        unchanged = [
            f"#{name} = :seen_{name}" if name in seen else f"attribute_not_exists(#{name})"
            for name in ("last_place", "silent_until")
        ]
        read = {
            f"seen_{name}": seen[name] for name in ("last_place", "silent_until") if name in seen
        }
        try:
            self._table.update(
                budget_key(connection),
                "SET #last_place = :place",
                " AND ".join(unchanged),
                place=number(_micros(place)),
                **read,
            )
        except ConditionFailed:
            return False
        return True


def _next_free(seen: Item, spacing: float, now: datetime) -> datetime:
    earliest = max(now, _moment(seen, "silent_until")) if "silent_until" in seen else now
    last = _moment(seen, "last_place") if "last_place" in seen else None
    return next_place(last, earliest, spacing)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(item: Item, name: str) -> datetime:
    return _EPOCH + int(item[name]["N"]) * _MICROSECOND
