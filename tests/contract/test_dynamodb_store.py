"""What the DynamoDB store sends: as few calls as it can, cheap ones, and never a Scan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOON, a_connection, a_running_job, changed
from tests.contract.dynamodb_factory import create_table, dynamodb_client
from tests.contract.store_builders import (
    a_delivery,
    a_token,
    after,
    an_entry,
    an_event,
    job_number,
    stored,
)
from trainbell.domain.job import EndReason, Job, State
from trainbell.domain.outbox import OutboxEntry, delivered, routed
from trainbell.domain.settings import Connection
from trainbell.errors import HoldTaken, InputInvalid, JobConflict
from trainbell.ports import Change, JobQuery, Store
from trainbell.stores.dynamodb.calls import Table
from trainbell.stores.dynamodb.items import job_item
from trainbell.stores.dynamodb.lists import list_jobs
from trainbell.stores.dynamodb.store import DynamoDBStore
from trainbell.stores.dynamodb.table import (
    ACTIONS,
    CREATED,
    DUE_AT,
    DUE_SHARD,
    LIST_KEYS,
    LISTED,
    hold_key,
    is_outbox_record,
    job_key,
    outbox_key,
)

TABLE = "trainbell"


@dataclass
class Recorded:
    """A store whose calls are written down: the operation and what was sent with it."""

    store: DynamoDBStore
    client: Any
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def of(self, act: Callable[[], object]) -> list[str]:
        """The operations that this causes."""
        self.calls.clear()
        act()
        return [operation for operation, _ in self.calls]

    def item(self, key: dict[str, Any]) -> dict[str, Any]:
        item: dict[str, Any] = self.client.get_item(TableName=TABLE, Key=key)["Item"]
        return item


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    with dynamodb_client() as client:
        create_table(client, TABLE)
        recorded = Recorded(DynamoDBStore(TABLE, client), client)

        def write_down(model: Any, params: dict[str, Any], **rest: Any) -> None:
            recorded.calls.append((model.name, json.loads(params["body"])))

        client.meta.events.register("before-call.dynamodb", write_down)
        yield recorded


def a_change(job: Job) -> Change:
    return Change(job=job, events=(an_event(job),), outbox=(an_entry(job),), take=("name:a",))


def claimed(store: Store, *entries: OutboxEntry) -> OutboxEntry:
    stored_job = store.create(Change(job=job_number(1), outbox=entries))[0]
    assert stored_job.revision == 1
    return store.claim_outbox(after(1), 30, 10)[0]


def test_creating_is_one_transaction(recorded: Recorded) -> None:
    create = a_change(job_number(1))
    recorded.store.know_project("default")  # Once for each project by each process.
    assert recorded.of(lambda: recorded.store.create(create, a_token())) == ["TransactWriteItems"]


def test_a_replay_costs_one_read_more(recorded: Recorded) -> None:
    recorded.store.create(a_change(job_number(1)), a_token())
    again = a_change(job_number(2))
    assert recorded.of(lambda: recorded.store.create(again, a_token())) == [
        "TransactWriteItems",
        "GetItem",
    ]


def test_bookkeeping_is_one_conditional_put(recorded: Recorded) -> None:
    job = stored(recorded.store)
    change = Change(job=changed(job, polls=1, next_poll_at=after(30)))
    assert recorded.of(lambda: recorded.store.save(change)) == ["PutItem"]
    assert "ConditionExpression" in recorded.calls[0][1]


def test_saving_with_events_is_one_transaction(recorded: Recorded) -> None:
    job = stored(recorded.store)
    assert recorded.of(lambda: recorded.store.save(a_change(job))) == ["TransactWriteItems"]


def test_a_taken_hold_is_named_without_another_read(recorded: Recorded) -> None:
    first = recorded.store.create(a_change(job_number(1)))[0]

    def second() -> None:
        with pytest.raises(HoldTaken) as refusal:
            recorded.store.create(a_change(job_number(2)))
        assert (refusal.value.key, refusal.value.holder) == ("name:a", first.id)

    assert recorded.of(second) == ["TransactWriteItems"]


READS: list[tuple[Callable[[Store], object], list[str]]] = [
    (lambda store: store.get(job_number(1).id), ["GetItem"]),
    (lambda store: store.find_by_hold("name:a"), ["GetItem"]),
    (lambda store: store.free_slot("deepva", 10_000), ["Query"]),
    (lambda store: store.list(JobQuery(project="default")), ["Query", "BatchGetItem"]),
    (lambda store: store.list(JobQuery(project="empty")), ["Query"]),
    (
        lambda store: store.list(
            JobQuery(project="default", states=frozenset({State.REQUESTED, State.RUNNING}))
        ),
        ["Query", "Query", "BatchGetItem"],
    ),
    (lambda store: store.events(job_number(1).id, limit=100), ["Query"]),
    (lambda store: store.deliveries(job_number(1).id), ["Query"]),
    (lambda store: store.due(NOON, 10), ["Query"] * 8),
    (lambda store: store.next_due_at(), ["Query"] * 8),
    (lambda store: store.count_by_state(), ["Query"] * 8),
    (lambda store: store.next_outbox_due_at(), ["Query"] * 4),
    (lambda store: store.durations(["a", "b", "c"]), ["BatchGetItem"]),
    (lambda store: store.get_config(Connection, "deepva"), ["GetItem"]),
    (lambda store: store.list_config(Connection), ["Query"]),
]


@pytest.mark.parametrize(("read", "operations"), READS)
def test_reads_are_few(
    recorded: Recorded, read: Callable[[Store], object], operations: list[str]
) -> None:
    recorded.store.create(a_change(job_number(1)))
    assert recorded.of(lambda: read(recorded.store)) == operations


WRITES: list[tuple[Callable[[Store], object], list[str]]] = [
    (lambda store: store.put_config(a_connection()), ["PutItem"]),
    (lambda store: store.delete_config(Connection, "deepva"), ["DeleteItem"]),
    (lambda store: store.hold_calls("deepva", after(60)), ["UpdateItem"]),
    # The first call after a pause compares and swaps; the second only queues up.
    (lambda store: store.reserve_call("deepva", 60, NOON), ["UpdateItem"] * 2),
    (
        lambda store: [store.reserve_call("deepva", 60, NOON) for _ in range(3)],
        ["UpdateItem"] * 4,
    ),
    (lambda store: store.claim_outbox(after(1), 30, 10), ["Query"] * 4 + ["UpdateItem"]),
    (
        lambda store: store.delete(store.get(job_number(1).id)),
        ["GetItem", "GetItem", "Query", "TransactWriteItems"],
    ),
    (lambda store: store.purge_expired(NOON), []),
]


@pytest.mark.parametrize(("act", "operations"), WRITES)
def test_writes_are_few(
    recorded: Recorded, act: Callable[[Store], object], operations: list[str]
) -> None:
    recorded.store.create(a_change(job_number(1)))
    assert recorded.of(lambda: act(recorded.store)) == operations


def test_no_call_is_outside_the_declared_rights() -> None:
    expected = {name for _, operations in [*READS, *WRITES] for name in operations}
    # A transaction needs the rights of its parts, and has no right of its own.
    rights = {action.removeprefix("dynamodb:") for action in ACTIONS}
    assert expected - {"TransactWriteItems"} <= rights
    assert "Scan" not in rights


def test_a_poll_leaves_the_list_indexes_alone() -> None:
    job = a_running_job(model="m", dataset="d", tags={"team": "a"})
    polled = changed(job, revision=2, polls=9, progress=0.5, next_poll_at=after(30), message="…")
    in_lists = {CREATED, *LIST_KEYS.values(), *LISTED}
    before, then = job_item(job), job_item(polled)
    assert {name: before[name] for name in in_lists} == {name: then[name] for name in in_lists}
    assert before[DUE_AT] != then[DUE_AT]


def test_an_ended_job_leaves_the_index_of_due_things(recorded: Recorded) -> None:
    job = stored(recorded.store)
    ended = changed(job, state=State.SUCCEEDED, end_reason=EndReason.COMPLETED, next_poll_at=None)
    recorded.store.save(Change(job=ended))
    assert not {DUE_AT, DUE_SHARD} & recorded.item(job_key(job.id)).keys()


def test_each_transaction_has_a_token_of_its_own(recorded: Recorded) -> None:
    def twice_the_same() -> None:
        recorded.store.create(a_change(job_number(1)), a_token())
        recorded.store.create(a_change(job_number(1)), a_token())

    recorded.of(twice_the_same)
    tokens = [sent["ClientRequestToken"] for _, sent in recorded.calls if "TransactItems" in sent]
    assert len(set(tokens)) == len(tokens) == 2


def test_an_expired_token_that_nobody_swept_yet_counts_as_absent(recorded: Recorded) -> None:
    token = a_token()
    first = recorded.store.create(Change(job=job_number(1)), token)[0]
    early = job_number(2, created_at=token.expires_at - timedelta(seconds=1))
    assert recorded.store.create(Change(job=early), a_token()) == (first, False)
    late = job_number(3, created_at=token.expires_at)
    again = a_token(fingerprint="other", at=token.expires_at)
    assert recorded.store.create(Change(job=late), again)[1]


def test_tokens_and_done_deliveries_carry_their_time_to_live(recorded: Recorded) -> None:
    recorded.store.create(Change(job=job_number(1)), a_token("key-1"))
    token = recorded.item({"pk": {"S": "token#key-1"}, "sk": {"S": "default"}})
    assert int(token["expires_at"]["N"]) == after(8 * 3600).timestamp()

    entry = a_delivery(job_number(2))
    recorded.store.create(Change(job=job_number(2), outbox=(entry,)))
    [mine] = recorded.store.claim_outbox(after(1), 30, 10)
    key = outbox_key(entry.event.job_id, entry.id)
    assert "expires_at" not in recorded.item(key)
    assert recorded.store.settle_outbox(delivered(mine, after(5)))
    done = recorded.item(key)
    assert int(done["expires_at"]["N"]) == (after(5) + timedelta(days=90)).timestamp()
    assert not {DUE_AT, DUE_SHARD} & done.keys()


def test_an_index_that_lags_shows_nothing_untrue(recorded: Recorded) -> None:
    running = stored(recorded.store, 1, state=State.RUNNING)
    lagging = job_item(running) | {LIST_KEYS["by_state"]: {"S": "default#succeeded"}}
    recorded.client.put_item(TableName=TABLE, Item=lagging)
    succeeded = JobQuery(project="default", states=frozenset({State.SUCCEEDED}))
    assert recorded.store.list(succeeded).items == ()


def test_a_job_in_two_states_at_once_is_listed_once(recorded: Recorded) -> None:
    job = stored(recorded.store, 1, state=State.RUNNING)
    # As a lagging index shows it: still in the old state while the new one is there as well.
    twin = job_item(job) | {"sk": {"S": "lag"}, "in_state": {"S": "default#queued"}}
    recorded.client.put_item(TableName=TABLE, Item=twin)
    both = JobQuery(project="default", states=frozenset({State.RUNNING, State.QUEUED}))
    assert recorded.store.list(both).items == (job,)


def test_a_long_search_pauses_with_a_cursor_and_goes_on(recorded: Recorded) -> None:
    for number in range(12):
        kind = "test" if number in {0, 9} else "train"
        stored(recorded.store, number, created_at=after(number), kind=kind)
    table = Table(TABLE, recorded.client)
    query: JobQuery | None = JobQuery(project="default", kind="test", limit=5)
    found, pages = [], 0
    while query is not None:
        page = list_jobs(table, query, page_size=2, max_pages=2)
        found += [job.created_at for job in page.items]
        pages += 1
        query = replace(query, cursor=page.next_cursor) if page.next_cursor else None
    assert found == [after(9), after(0)]
    assert pages == 4


def test_values_with_the_separator_are_not_confused(recorded: Recorded) -> None:
    stored(recorded.store, 1, project="a#b", provider="c")
    assert recorded.store.list(JobQuery(project="a", provider="b#c")).items == ()
    assert len(recorded.store.list(JobQuery(project="a#b", provider="c")).items) == 1


def test_more_deliveries_than_one_transaction_takes(recorded: Recorded) -> None:
    mine = claimed(recorded.store, an_entry(job_number(1)))
    channels = [routed(mine, f"channel-{number:03d}", after(1)) for number in range(120)]
    assert recorded.store.settle_outbox(mine, replaced_by=channels)
    assert len(recorded.store.deliveries(job_number(1).id)) == 120
    assert not recorded.store.settle_outbox(mine, replaced_by=channels)


def test_a_job_with_more_events_than_one_transaction_takes_is_deleted_whole(
    recorded: Recorded,
) -> None:
    job = recorded.store.create(Change(job=job_number(1, holds=("name:a",)), take=("name:a",)))[0]
    for start in range(1, 100, 50):
        events = tuple(an_event(job, sequence) for sequence in range(start, start + 50))
        outdated, job = job, recorded.store.save(Change(job=job, events=events))
    with pytest.raises(JobConflict):
        recorded.store.delete(outdated)
    assert len(recorded.store.events(job.id, limit=200).items) == 100
    recorded.store.delete(job)
    assert recorded.store.events(job.id, limit=100).items == ()
    assert "Item" not in recorded.client.get_item(TableName=TABLE, Key=hold_key("name:a"))


@pytest.mark.parametrize(
    ("event_name", "sort_key", "expected"),
    [
        ("INSERT", "outbox#01job-000001", True),
        ("MODIFY", "outbox#01job-000001", False),
        ("REMOVE", "outbox#01job-000001", False),
        ("INSERT", "event#000000001", False),
        ("INSERT", "job", False),
    ],
)
def test_stream_records_of_new_outbox_entries_are_recognised(
    event_name: str, sort_key: str, expected: bool
) -> None:
    keys = {"pk": {"S": "job#01job"}, "sk": {"S": sort_key}}
    record = {"eventName": event_name, "dynamodb": {"Keys": keys}}
    assert is_outbox_record(record) is expected


def test_a_job_that_cannot_be_stored_is_refused_before_any_call(recorded: Recorded) -> None:
    large = job_number(1, parameters={"text": "x" * 400_000})

    def create() -> None:
        with pytest.raises(InputInvalid) as refusal:
            recorded.store.create(Change(job=large))
        assert [problem.path for problem in refusal.value.problems] == ["parameters"]

    assert recorded.of(create) == []
