"""The serverless store: one DynamoDB table, laid out in `table`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from trainbell.stores.dynamodb.calls import Table
from trainbell.stores.dynamodb.config import DynamoDBConfig
from trainbell.stores.dynamodb.jobs import DynamoDBJobs
from trainbell.stores.dynamodb.outbox import DynamoDBOutbox
from trainbell.stores.dynamodb.quarantine import DynamoDBQuarantine
from trainbell.stores.dynamodb.rates import DynamoDBRates
from trainbell.stores.dynamodb.schema import migrate


class DynamoDBStore(
    DynamoDBJobs, DynamoDBRates, DynamoDBOutbox, DynamoDBConfig, DynamoDBQuarantine
):
    """Implements `ports.Store`. Safe to share between threads, as the client is.

    `client` is a low-level boto3 client of DynamoDB. It waits and tries again as it was configured
    to; the store itself never sleeps.
    """

    def __init__(self, table_name: str, client: Any) -> None:
        self._client = client
        self._table = Table(table_name, client)
        self._projects_known = set()

    def migrate(self) -> None:
        """Raises StoreTooNew where a newer Trainbell wrote the table."""
        migrate(self._table)

    def purge_expired(self, now: datetime) -> int:  # noqa: ARG002 - the port asks for it
        """Nothing to do: DynamoDB drops expired items itself, and they count as absent before."""
        return 0

    def close(self) -> None:
        self._client.close()
