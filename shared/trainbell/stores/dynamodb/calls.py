"""The calls that the store makes to its table: thin, mapped errors, no sleeping, never a Scan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from trainbell.errors import StoreFull, StoreUnavailable
from trainbell.stores.dynamodb.errors import mapped_errors
from trainbell.stores.dynamodb.table import PK, SK

Item = dict[str, Any]
"""An item or a key as the wire has it: attribute → {type: value}."""

MAX_ITEM_BYTES = 400 * 1024
MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
MAX_TRANSACTION_PARTS = 100
_MAX_KEYS_READ = 100
_MAX_KEYS_WRITTEN = 25
_BATCH_ROUNDS = 4

_NAME = re.compile(r"#(\w+)")


class Table:
    """One table through a boto3 client of DynamoDB.

    Every method raises what `mapped_errors` says.
    """

    def __init__(self, name: str, client: Any) -> None:
        self._name = name
        self._client = client

    def get(self, key: Item) -> Item | None:
        """Strongly consistent: sees every write that was acknowledged before."""
        answer = self._call("get_item", Key=key, ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    def put(self, item: Item, condition: Mapping[str, Any]) -> None:
        """Raises ConditionFailed, StoreFull."""
        check_item_size(item)
        self._call("put_item", Item=item, **condition)

    def exchange(self, item: Item) -> Item:
        """Put whatever stands there; returns that, empty where it was nothing. Raises StoreFull."""
        check_item_size(item)
        answer = self._call("put_item", Item=item, ReturnValues="ALL_OLD")
        old: Item = answer.get("Attributes") or {}
        return old

    def update(self, key: Item, expression: str, where: str, **values: Item) -> Item:
        """Returns the item as it is then. Raises ConditionFailed with what stands there."""
        answer = self._call(
            "update_item",
            Key=key,
            UpdateExpression=expression,
            ConditionExpression=where,
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **placeholders(f"{expression} {where}", values),
        )
        new: Item = answer["Attributes"]
        return new

    def delete(self, key: Item, condition: Mapping[str, Any] | None = None) -> Item:
        """Returns the item that was there; empty where there was none. Raises ConditionFailed."""
        answer = self._call("delete_item", Key=key, ReturnValues="ALL_OLD", **(condition or {}))
        old: Item = answer.get("Attributes") or {}
        return old

    def query(self, **arguments: Any) -> tuple[Sequence[Item], Item | None]:
        """One page, and the key to go on from; None on the last."""
        answer = self._call("query", **arguments)
        return answer.get("Items", ()), answer.get("LastEvaluatedKey")

    def query_all(self, **arguments: Any) -> Iterator[Item]:
        """All pages, each read when it is needed."""
        start: Item | None = None
        while True:
            items, start = self.query(
                **arguments, **({"ExclusiveStartKey": start} if start else {})
            )
            yield from items
            if start is None:
                return

    def batch_get(self, keys: Sequence[Item], *, consistent: bool) -> Sequence[Item]:
        """Those of the items that exist, in no order.

        Raises StoreUnavailable where DynamoDB keeps leaving keys unprocessed.
        """
        found: list[Item] = []
        for batch in _batches(keys, _MAX_KEYS_READ):
            request: dict[str, Any] = {self._name: {"Keys": batch, "ConsistentRead": consistent}}
            for _ in range(_BATCH_ROUNDS):
                with mapped_errors():
                    answer = self._client.batch_get_item(RequestItems=request)
                found += answer["Responses"].get(self._name, ())
                request = answer.get("UnprocessedKeys") or {}
                if not request:
                    break
            else:
                raise StoreUnavailable("DynamoDB leaves reads unprocessed")
        return found

    def batch_delete(self, keys: Sequence[Item]) -> None:
        """Raises StoreUnavailable where DynamoDB keeps leaving deletes unprocessed."""
        for batch in _batches(keys, _MAX_KEYS_WRITTEN):
            request: dict[str, Any] = {
                self._name: [{"DeleteRequest": {"Key": key}} for key in batch]
            }
            for _ in range(_BATCH_ROUNDS):
                with mapped_errors():
                    answer = self._client.batch_write_item(RequestItems=request)
                request = answer.get("UnprocessedItems") or {}
                if not request:
                    break
            else:
                raise StoreUnavailable("DynamoDB leaves deletes unprocessed")

    def transact(self, parts: Sequence[Mapping[str, Mapping[str, Any]]]) -> None:
        """Write all parts or none. Raises TransactionRefused, StoreFull.

        botocore gives each call a fresh ClientRequestToken and keeps it over its own retries, so a
        retry after a lost answer is not refused. A token made of the contents would let two
        writers with the same contents both believe that they were first.
        """
        if len(parts) > MAX_TRANSACTION_PARTS:
            raise StoreFull(
                f"a change of {len(parts)} items; DynamoDB takes {MAX_TRANSACTION_PARTS} at once"
            )
        size = sum(check_item_size(part["Put"]["Item"]) for part in parts if "Put" in part)
        if size > MAX_TRANSACTION_BYTES:
            raise StoreFull(
                f"a change of {size} bytes; DynamoDB takes {MAX_TRANSACTION_BYTES} at once"
            )
        whole = [
            {
                action: {
                    **arguments,
                    "TableName": self._name,
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
                for action, arguments in part.items()
            }
            for part in parts
        ]
        with mapped_errors():
            self._client.transact_write_items(TransactItems=whole)

    def _call(self, operation: str, **arguments: Any) -> Any:
        with mapped_errors():
            return getattr(self._client, operation)(TableName=self._name, **arguments)


def condition(text: str, **values: Item) -> dict[str, Any]:
    """The arguments of a condition such as `#revision = :seen`, with `seen` among the values."""
    return {"ConditionExpression": text, **placeholders(text, values)}


def placeholders(
    text: str, values: Mapping[str, Item], names: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Names for every `#name` in the text, values for every `:value`.

    All names are placeholders, because DynamoDB reserves hundreds of words (`state` is one).
    `names` are those whose attribute is called otherwise.
    """
    made = {f"#{name}": name for name in _NAME.findall(text)}
    made |= {f"#{name}": attribute for name, attribute in (names or {}).items()}
    arguments: dict[str, Any] = {"ExpressionAttributeNames": made} if made else {}
    if values:
        arguments["ExpressionAttributeValues"] = {f":{name}": it for name, it in values.items()}
    return arguments


def text(value: str) -> Item:
    return {"S": value}


def number(value: int) -> Item:
    return {"N": str(value)}


def key_of(item: Item) -> Item:
    return {PK: item[PK], SK: item[SK]}


def check_item_size(item: Item) -> int:
    """The item's size in bytes, as DynamoDB counts. Raises StoreFull where it is too large."""
    size = item_size(item)
    if size > MAX_ITEM_BYTES:
        raise StoreFull(f"an item of {size} bytes; DynamoDB takes {MAX_ITEM_BYTES}")
    return size


def item_size(item: Item) -> int:
    """In bytes, as DynamoDB counts: names and values; a number by its digits, rounded up.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Item) -> int:
    kind, content = next(iter(value.items()))
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return len(content) // 2 + 2
    if kind == "M":
        return 3 + sum(1 + len(k.encode()) + _value_size(v) for k, v in content.items())
    raise ValueError(f"the store writes no attribute of type {kind}")


def _batches(keys: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    remaining = iter(keys)
    while batch := list(islice(remaining, size)):
        yield batch
