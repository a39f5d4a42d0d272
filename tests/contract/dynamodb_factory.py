"""A DynamoDBStore on moto, for the contract suite."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count, islice
from typing import Any

import boto3
from botocore.config import Config
from moto import mock_aws
from moto.core.models import botocore_stubber

from trainbell.domain.job import Job
from trainbell.stores.dynamodb.items import job_item
from trainbell.stores.dynamodb.store import DynamoDBStore
from trainbell.stores.dynamodb.table import TTL_ATTRIBUTE, table_definition

_BATCH = 25
_names = (f"trainbell-{number}" for number in count())


@contextmanager
def dynamodb_store(jobs: Iterable[Job] = ()) -> Iterator[DynamoDBStore]:
    """A store on a fresh table that lives in this process, with these jobs as they are in it."""
    with dynamodb_table(jobs) as opened:
        yield opened()


@contextmanager
def dynamodb_table(jobs: Iterable[Job] = ()) -> Iterator[Callable[[], DynamoDBStore]]:
    """The same table, which may be opened again and again."""
    with dynamodb_client() as client:
        # Mocks within one another share their tables, so each needs a name of its own.
        name = next(_names)
        create_table(client, name)
        load_jobs(client, name, jobs)
        yield lambda: DynamoDBStore(name, client)


@contextmanager
def dynamodb_client() -> Iterator[Any]:
    """A client of a DynamoDB that lives in this process. Of an account that does not exist."""
    with mock_aws():
        client = _SESSION.client("dynamodb", config=_CONFIG)
        _one_call_at_a_time(client)
        yield client
        client.close()


def create_table(client: Any, name: str) -> None:
    """As template.yaml makes it."""
    client.create_table(**table_definition(name))
    client.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE},
    )


def load_jobs(client: Any, table_name: str, jobs: Iterable[Job]) -> None:
    """Store many jobs as they are, revision included, faster than `create` would."""
    remaining = iter(jobs)
    while batch := list(islice(remaining, _BATCH)):
        puts = [{"PutRequest": {"Item": job_item(job)}} for job in batch]
        client.batch_write_item(RequestItems={table_name: puts})


# Nobody sleeps in these tests: a refused call is an answer, not a reason to try again.
_CONFIG = Config(retries={"total_max_attempts": 1}, max_pool_connections=64)
# One session, because each reads the description of the service anew.
_SESSION = boto3.session.Session(
    region_name="eu-west-1", aws_access_key_id="testing", aws_secret_access_key="testing"
)


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
