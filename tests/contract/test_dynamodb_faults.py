"""What the DynamoDB store makes of refusals, conflicts and silence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber

from tests.builders import changed
from tests.contract.dynamodb_factory import create_table, dynamodb_client
from tests.contract.store_builders import a_delivery, an_event, job_number, stored
from trainbell.domain.job import Performance
from trainbell.errors import (
    ConfigInvalid,
    HoldTaken,
    JobConflict,
    StoreError,
    StoreFull,
    StoreUnavailable,
    TrainbellError,
)
from trainbell.ports import Change
from trainbell.stores.dynamodb.items import job_item
from trainbell.stores.dynamodb.store import DynamoDBStore

TABLE = "trainbell"


@pytest.fixture
def client() -> Iterator[Any]:
    with dynamodb_client() as client:
        create_table(client, TABLE)
        yield client


@pytest.fixture
def store(client: Any) -> DynamoDBStore:
    return DynamoDBStore(TABLE, client)


@pytest.fixture
def stub(client: Any, store: DynamoDBStore) -> Iterator[Stubber]:
    """Answers in the place of the service. Fails where an answer is left over."""
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def cancelled(stub: Stubber, *codes: str, **item: Any) -> None:
    reasons = [{"Code": code, **({"Item": item} if item else {})} for code in codes]
    stub.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        http_status_code=400,
        modeled_fields={"CancellationReasons": reasons},
    )


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ProvisionedThroughputExceededException", 400, StoreUnavailable),
        ("ThrottlingException", 400, StoreUnavailable),
        ("RequestLimitExceeded", 400, StoreUnavailable),
        ("TransactionConflictException", 400, StoreUnavailable),
        ("InternalServerError", 500, StoreUnavailable),
        ("SomethingNew", 503, StoreUnavailable),
        ("ResourceNotFoundException", 400, ConfigInvalid),
        ("AccessDeniedException", 400, ConfigInvalid),
        ("UnrecognizedClientException", 400, ConfigInvalid),
        ("ItemCollectionSizeLimitExceededException", 400, StoreFull),
        ("ValidationException", 400, StoreError),
    ],
)
def test_each_refusal_has_its_meaning(
    store: DynamoDBStore, stub: Stubber, code: str, status: int, error: type[TrainbellError]
) -> None:
    stub.add_client_error("put_item", code, http_status_code=status)
    with pytest.raises(error) as refusal:
        store.save(Change(job=job_number(1, revision=1)))
    assert type(refusal.value) is error
    assert refusal.value.__cause__ is not None


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (EndpointConnectionError(endpoint_url="http://nowhere"), StoreUnavailable),
        (NoCredentialsError(), ConfigInvalid),
    ],
)
def test_silence_has_its_meaning(
    client: Any, store: DynamoDBStore, fault: BotoCoreError, error: type[TrainbellError]
) -> None:
    def fail(**rest: Any) -> None:
        raise fault

    client.meta.events.register("before-call.dynamodb", fail)
    with pytest.raises(error):
        store.get("01job")


def test_a_conflict_on_the_job_itself_means_read_again(store: DynamoDBStore, stub: Stubber) -> None:
    cancelled(stub, "TransactionConflict", "None")
    job = job_number(1, revision=1)
    with pytest.raises(JobConflict):
        store.save(Change(job=job, events=(an_event(job),)))


def test_a_conflict_beside_the_job_is_tried_again_at_once(
    store: DynamoDBStore, stub: Stubber
) -> None:
    cancelled(stub, "None", "TransactionConflict")
    cancelled(stub, "None", "TransactionConflict")
    stub.add_response("transact_write_items", {})
    job = job_number(1, revision=1)
    assert store.save(Change(job=job, take=("slot:1",))).revision == 2


def test_conflicts_without_end_are_given_up(store: DynamoDBStore, stub: Stubber) -> None:
    for _ in range(5):
        cancelled(stub, "None", "TransactionConflict")
    with pytest.raises(StoreUnavailable):
        store.save(Change(job=job_number(1, revision=1), take=("slot:1",)))


def test_a_throttled_part_means_later(store: DynamoDBStore, stub: Stubber) -> None:
    cancelled(stub, "ThrottlingError", "None")
    with pytest.raises(StoreUnavailable):
        store.save(Change(job=job_number(1, revision=1), take=("slot:1",)))


def test_an_outdated_revision_counts_before_a_taken_hold(
    store: DynamoDBStore, stub: Stubber
) -> None:
    cancelled(stub, "ConditionalCheckFailed", "ConditionalCheckFailed", job_id={"S": "01other"})
    with pytest.raises(JobConflict):
        store.save(Change(job=job_number(1, revision=1), take=("slot:1",)))


def test_a_hold_that_is_let_go_meanwhile_is_tried_again(
    store: DynamoDBStore, stub: Stubber
) -> None:
    cancelled(stub, "None", "ConditionalCheckFailed")
    cancelled(stub, "None", "ConditionalCheckFailed", job_id={"S": "01other"})
    with pytest.raises(HoldTaken, match="01other"):
        store.save(Change(job=job_number(1, revision=1), take=("slot:1",)))


def test_unprocessed_keys_are_asked_for_again(
    store: DynamoDBStore, stub: Stubber, client: Any
) -> None:
    key = {"pk": {"S": "durations#a"}, "sk": {"S": "durations"}}
    rest = {TABLE: {"Keys": [key], "ConsistentRead": False}}
    stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": rest})
    found = {TABLE: [{**key, "bin#3": {"N": "7"}}]}
    stub.add_response("batch_get_item", {"Responses": found}, {"RequestItems": rest})
    assert store.durations(["a"]).by_likeness == ({3: 7},)


def test_keys_that_stay_unprocessed_are_given_up(store: DynamoDBStore, stub: Stubber) -> None:
    key = {"pk": {"S": "durations#a"}, "sk": {"S": "durations"}}
    rest = {TABLE: {"Keys": [key], "ConsistentRead": False}}
    for _ in range(4):
        stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": rest})
    with pytest.raises(StoreUnavailable):
        store.durations(["a"])


def test_deletes_that_stay_unprocessed_leave_the_job(store: DynamoDBStore, stub: Stubber) -> None:
    job = job_number(1, revision=1)
    stub.add_response("get_item", {"Item": job_item(job)})
    keys = [{"pk": {"S": "job#1"}, "sk": {"S": f"event#{number}"}} for number in range(91)]
    stub.add_response("query", {"Items": keys})
    rest = {TABLE: [{"DeleteRequest": {"Key": keys[0]}}]}
    for _ in range(4):
        stub.add_response("batch_write_item", {"UnprocessedItems": rest})
    with pytest.raises(StoreUnavailable):
        store.delete(job)


def test_a_job_that_grew_too_large_is_full_and_stays_as_it_was(store: DynamoDBStore) -> None:
    job = stored(store)
    grown = changed(job, performance=Performance(artifacts={"report": "x" * 410_000}))
    with pytest.raises(StoreFull, match="409600"):
        store.save(Change(job=grown))
    with pytest.raises(StoreFull):
        store.save(Change(job=grown, events=(an_event(job),)))
    assert store.get(job.id) == job


def test_a_change_larger_than_a_transaction_is_refused_whole(store: DynamoDBStore) -> None:
    job = stored(store)
    large = tuple(an_event(job, number, data={"x": "x" * 400_000}) for number in range(1, 12))
    with pytest.raises(StoreFull, match="bytes"):
        store.save(Change(job=job, events=large))
    many = tuple(a_delivery(job, number) for number in range(1, 101))
    with pytest.raises(StoreFull, match="101 items"):
        store.save(Change(job=job, outbox=many))
    assert store.get(job.id) == job
