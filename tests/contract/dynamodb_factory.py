"""A DynamoDBStore on moto, for the contract suite."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import boto3
from botocore.config import Config
from moto import mock_aws
from moto.core.models import botocore_stubber

from trainbell.domain.job import Job
from trainbell.stores.dynamodb_items import job_item
from trainbell.stores.dynamodb_store import DynamoDBStore
from trainbell.stores.dynamodb_table import TTL_ATTRIBUTE, table_definition

TABLE_NAME = "trainbell"
_BATCH = 25


@contextmanager
def dynamodb_store() -> Iterator[DynamoDBStore]:
    """A store on a fresh, empty table that lives in this process."""
    with dynamodb_client() as client:
        store = DynamoDBStore(TABLE_NAME, client)
        yield store
        store.close()


@contextmanager
def dynamodb_client() -> Iterator[Any]:
    """A client of a mocked DynamoDB that has the table, as template.yaml makes it."""
    with mock_aws():
        client = boto3.client("dynamodb", config=_CONFIG, **_FAKE_ACCOUNT)
        _one_call_at_a_time(client)
        create_table(client)
        yield client
        client.close()


def create_table(client: Any) -> None:
    client.create_table(**table_definition(TABLE_NAME))
    client.update_time_to_live(
        TableName=TABLE_NAME,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE},
    )


def load_jobs(client: Any, jobs: Iterable[Job]) -> None:
    """Store many jobs as they are, revision included, faster than `create` would."""
    remaining = iter(jobs)
    while batch := list(islice(remaining, _BATCH)):
        puts = [{"PutRequest": {"Item": job_item(job)}} for job in batch]
        client.batch_write_item(RequestItems={TABLE_NAME: puts})


# Nobody sleeps in these tests: a refused call is an answer, not a reason to try again.
_CONFIG = Config(retries={"total_max_attempts": 1}, max_pool_connections=64)
_FAKE_ACCOUNT: dict[str, Any] = {
    "region_name": "eu-west-1",
    "aws_access_key_id": "testing",
    "aws_secret_access_key": "testing",
}


def _one_call_at_a_time(client: Any) -> None:
    # DynamoDB decides each call for itself. moto's tables are plain dicts: two threads in them at
    # once lose writes, and its transactions roll back by putting an older copy of the whole table
    # in place. So the mocked service, and nothing else, answers one call at a time.
    turn = threading.Lock()

    def answer(event_name: str, request: Any, **rest: Any) -> Any:
        with turn:
            return botocore_stubber(event_name, request, **rest)

    client.meta.events.unregister("before-send", botocore_stubber)
    client.meta.events.register("before-send", answer)
