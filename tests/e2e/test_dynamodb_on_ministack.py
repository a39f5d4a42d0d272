"""The DynamoDB store over real sockets: one job from its creation to its end, told and forgotten.

What each call promises is tested on moto. Here a second, independent imitation of the service has
to agree with it, through botocore's own HTTP, signing, retries and connection pool.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.builders import NOON, changed
from tests.contract.dynamodb_factory import create_table
from tests.contract.store_builders import a_token, after, an_entry, an_event, job_number
from tests.e2e.ministack_server import CREDENTIALS, free_port, ministack
from trainbell.domain.job import EndReason, Job, State
from trainbell.domain.outbox import delivered, routed
from trainbell.domain.rate_budget import spacing_seconds
from trainbell.errors import (
    ConfigInvalid,
    HoldTaken,
    IdempotencyConflict,
    JobConflict,
    NotFound,
    StoreUnavailable,
)
from trainbell.ports import Change, JobQuery
from trainbell.stores.dynamodb.store import DynamoDBStore

pytestmark = pytest.mark.e2e

TABLE = "trainbell"
_CONFIG = Config(retries={"total_max_attempts": 1}, max_pool_connections=32, connect_timeout=5)


def client_of(url: str) -> Any:
    return boto3.client("dynamodb", endpoint_url=url, config=_CONFIG, **CREDENTIALS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ministack(tmp_path_factory.mktemp("ministack")) as url:
        create_table(client_of(url), TABLE)
        yield url


@pytest.fixture
def store(server: str) -> Iterator[DynamoDBStore]:
    store = DynamoDBStore(TABLE, client_of(server))
    yield store
    store.close()


def ended(job: Job) -> Change:
    end = changed(
        job,
        state=State.SUCCEEDED,
        end_reason=EndReason.COMPLETED,
        next_poll_at=None,
        holds=(),
        ended_at=after(60),
    )
    return Change(
        job=end,
        events=(an_event(end, 2),),
        outbox=(an_entry(end, 2),),
        release=job.holds,
        duration_keys=("deepva", "deepva/train"),
        duration_bin=4,
    )


def test_a_job_from_its_request_to_its_record(store: DynamoDBStore) -> None:
    new = job_number(1, project="one", holds=("dataset:cats",), tags={"team": "a"})
    create = Change(job=new, events=(an_event(new),), take=new.holds)
    job, is_new = store.create(create, a_token())
    assert is_new
    assert store.create(replace(create, job=job_number(2)), a_token()) == (job, False)
    with pytest.raises(IdempotencyConflict):
        store.create(replace(create, job=job_number(2)), a_token(fingerprint="other"))
    with pytest.raises(HoldTaken) as refusal:
        store.create(replace(create, job=job_number(2)))
    assert refusal.value.holder == job.id
    assert [due.id for due in store.due(NOON, 10)] == [job.id]

    polled = store.save(Change(job=changed(job, polls=1, next_poll_at=after(30))))
    with pytest.raises(JobConflict):
        store.save(Change(job=job))
    assert store.due(NOON, 10) == []
    assert store.next_due_at() == after(30)

    done = store.save(ended(polled))
    assert store.get(job.id) == done
    assert store.find_by_hold("dataset:cats") is None
    assert store.next_due_at() is None
    assert [event.sequence for event in store.events(job.id, limit=10).items] == [1, 2]
    assert store.durations(["deepva/train", "none"]).by_likeness == ({4: 1}, {})

    [entry] = store.claim_outbox(after(60), 30, 10)
    assert store.claim_outbox(after(60), 30, 10) == []
    delivery = routed(entry, "team", after(61))
    assert store.settle_outbox(entry, replaced_by=[delivery])
    assert not store.settle_outbox(entry, replaced_by=[delivery])
    [mine] = store.claim_outbox(after(61), 30, 10)
    assert store.settle_outbox(delivered(mine, after(62)))
    assert [told.id for told in store.deliveries(job.id)] == [delivery.id]

    store.delete(done)
    with pytest.raises(NotFound):
        store.get(job.id)
    assert store.deliveries(job.id) == []


def test_lists_go_on_where_they_stopped(store: DynamoDBStore) -> None:
    for number in range(25):
        state = State.RUNNING if number % 2 else State.QUEUED
        tags = {"team": "a"} if number % 5 == 0 else {}
        store.create(
            Change(
                job=job_number(
                    number + 100,
                    project="lists",
                    created_at=after(number),
                    state=state,
                    model="m",
                    tags=tags,
                )
            )
        )
    active = frozenset({State.RUNNING, State.QUEUED})
    cases: list[tuple[dict[str, Any], int]] = [
        ({}, 25),
        ({"states": active}, 25),
        ({"states": frozenset({State.RUNNING})}, 12),
        ({"model": "m", "created_after": after(4)}, 20),
        ({"provider": "deepva", "tag": ("team", "a")}, 5),
    ]
    for filters, expected in cases:
        query: JobQuery | None = JobQuery(project="lists", limit=4, **filters)
        found: list[Job] = []
        while query is not None:
            page = store.list(query)
            found += page.items
            query = replace(query, cursor=page.next_cursor) if page.next_cursor else None
        created = [job.created_at for job in found]
        assert len(created) == expected
        assert created == sorted(set(created), reverse=True)
    assert store.count_by_state("lists") == {State.RUNNING: 12, State.QUEUED: 13}


def test_one_of_many_writers_ends_a_job(store: DynamoDBStore) -> None:
    job, _ = store.create(Change(job=job_number(200, project="race")))

    def write(number: int) -> bool:
        try:
            store.save(ended(changed(job, message=f"writer {number}")))
        except (JobConflict, StoreUnavailable):
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(write, range(20))).count(True) == 1
    assert len(store.events(job.id, limit=100).items) == 1


def test_places_in_the_line_of_calls_never_meet(store: DynamoDBStore) -> None:
    with ThreadPoolExecutor(20) as pool:
        places = sorted(pool.map(lambda _: store.reserve_call("line", 60, NOON), range(20)))
    step = spacing_seconds(60)
    assert [(place - NOON).total_seconds() for place in places] == pytest.approx(
        [number * step for number in range(20)]
    )


def test_a_server_that_is_not_there_is_unavailable() -> None:
    store = DynamoDBStore(TABLE, client_of(f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(StoreUnavailable):
        store.get("01job")
    store.close()


def test_a_table_that_is_not_there_is_a_wrong_setting(server: str) -> None:
    store = DynamoDBStore("no-such-table", client_of(server))
    with pytest.raises(ConfigInvalid):
        store.get("01job")
    store.close()
