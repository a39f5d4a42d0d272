"""After a restart, what a killed process was just telling is told at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import FakeClock, a_running_job
from tests.dying_store import DyingStore, Killed
from tests.toy_service import ToyService, a_trainbell
from trainbell.domain.job import EndReason
from trainbell.domain.outbox import OutboxEntry, routed, to_retry
from trainbell.domain.recording import Recorder
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.recording import change_of
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.telling.publish_changes import LEASE_SECONDS
from trainbell.use_cases.telling.resume_telling import resume_telling


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    store = SqliteStore(tmp_path / "jobs.sqlite3")
    yield a_trainbell(store, ToyService(FakeClock()))
    store.close()


def an_end(services: Services) -> None:
    record = Recorder(a_running_job(), services.clock.now())
    record.end(EndReason.COMPLETED, services.clock.now())
    services.store.create(change_of(record.decide()))


def claimed(services: Services) -> OutboxEntry:
    """The one entry that is due, claimed as by a process that dies now."""
    (entry,) = services.store.claim_outbox(services.clock.now(), LEASE_SECONDS, 10)
    assert services.store.claim_outbox(services.clock.now(), LEASE_SECONDS, 10) == []
    return entry


def test_an_entry_whose_claimer_died_is_due_at_once_and_the_same(services: Services) -> None:
    an_end(services)
    entry = claimed(services)
    assert resume_telling(services) == 1
    again = claimed(services)
    assert (again.id, again.event, again.attempts) == (entry.id, entry.event, entry.attempts)


def test_who_dies_while_giving_back_delays_it_by_a_lease_at_most(services: Services) -> None:
    an_end(services)
    dying = DyingStore(services.store, 1, after=False)
    with pytest.raises(Killed):
        resume_telling(replace(services, store=dying))
    due_at = services.store.next_outbox_due_at()
    assert due_at is not None
    assert due_at <= services.clock.now() + timedelta(seconds=LEASE_SECONDS)


def test_the_dead_ones_claim_is_void(services: Services) -> None:
    an_end(services)
    dead = claimed(services)
    resume_telling(services)
    claimed(services)
    assert not services.store.settle_outbox(dead)


def test_a_delivery_that_waits_for_its_next_try_keeps_its_time(services: Services) -> None:
    an_end(services)
    now = services.clock.now()
    entry = claimed(services)
    delivery = routed(entry, "team", now)
    services.store.settle_outbox(entry, replaced_by=[delivery])
    services.store.settle_outbox(to_retry(claimed(services), "down", now, None))
    due_at = services.store.next_outbox_due_at()
    assert due_at == now + timedelta(seconds=5)
    resume_telling(services)
    assert services.store.next_outbox_due_at() == due_at
    (kept,) = services.store.deliveries(delivery.event.job_id)
    assert (kept.attempts, kept.last_error) == (1, "down")
