"""The outbox: claims with a lease, what becomes of an entry, and the record of deliveries."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.builders import NOON
from tests.contract.store_builders import (
    a_delivery,
    a_token,
    after,
    an_entry,
    at_once,
    job_number,
    patiently,
)
from trainbell.domain.outbox import (
    DeliveryState,
    OutboxEntry,
    delivered,
    given_up,
    redelivered,
    to_retry,
)
from trainbell.ports import Change, Store

LEASE = 60.0


def tell(store: Store, *entries: OutboxEntry, number: int = 1) -> None:
    """Store entries the only way they come: with a job."""
    store.create(Change(job=job_number(number), outbox=entries))


def ids(entries: object) -> list[str]:
    assert isinstance(entries, list | tuple)
    return [entry.id for entry in entries]


def the_claim(store: Store, now: datetime) -> OutboxEntry:
    (entry,) = store.claim_outbox(now, LEASE, 10)
    return entry


def test_due_entries_come_oldest_first(store: Store) -> None:
    job = job_number(1)
    tell(store, *(an_entry(job, number, at=after(60 - number)) for number in range(1, 5)))
    assert store.next_outbox_due_at() == after(56)
    assert list(store.claim_outbox(after(55), LEASE, 10)) == []
    assert [e.event.sequence for e in store.claim_outbox(after(58), LEASE, 2)] == [4, 3]
    assert [e.event.sequence for e in store.claim_outbox(after(58), LEASE, 9)] == [2]
    assert [e.event.sequence for e in store.claim_outbox(after(59), LEASE, 9)] == [1]


def test_an_entry_comes_back_as_it_was_with_a_claim(store: Store) -> None:
    entry = an_entry(job_number(1))
    tell(store, entry)
    claimed = the_claim(store, NOON)
    assert claimed.claim > entry.claim
    assert replace(claimed, claim=entry.claim) == entry


def test_a_lease_keeps_others_away_until_it_ends(store: Store) -> None:
    tell(store, an_entry(job_number(1)))
    first = the_claim(store, NOON)
    assert list(store.claim_outbox(after(LEASE - 0.001), LEASE, 10)) == []
    assert store.next_outbox_due_at() == after(LEASE)
    second = the_claim(store, after(LEASE))
    assert second.id == first.id
    assert second.claim > first.claim


def test_a_lost_claim_settles_nothing(store: Store) -> None:
    tell(store, a_delivery(job_number(1)))
    late = the_claim(store, NOON)
    current = the_claim(store, after(LEASE))
    assert not store.settle_outbox(given_up(late, "too late", after(70)))
    assert not store.settle_outbox(late, replaced_by=[a_delivery(job_number(1), 2)])
    assert store.settle_outbox(delivered(current, after(70)))
    assert not store.settle_outbox(given_up(current, "again", after(71)))
    (kept,) = store.deliveries(job_number(1).id)
    assert (kept.state, kept.last_error, kept.done_at) == (DeliveryState.DELIVERED, None, after(70))
    assert store.next_outbox_due_at() is None


def test_an_expired_lease_that_nobody_took_may_still_settle(store: Store) -> None:
    tell(store, a_delivery(job_number(1)))
    claimed = the_claim(store, NOON)
    assert store.settle_outbox(delivered(claimed, after(LEASE + 10)))
    assert list(store.claim_outbox(after(1e6), LEASE, 10)) == []


def test_an_unrouted_entry_becomes_its_deliveries(store: Store) -> None:
    job = job_number(1)
    tell(store, an_entry(job), a_delivery(job, channel="kept"))
    claimed = next(e for e in store.claim_outbox(NOON, LEASE, 10) if e.channel is None)
    routed = [a_delivery(job, channel=name, at=after(1)) for name in ("sns", "slack")]
    again = replace(a_delivery(job, channel="kept"), last_error="must not be stored")
    assert store.settle_outbox(claimed, replaced_by=[*routed, again])
    assert not store.settle_outbox(claimed, replaced_by=[a_delivery(job, channel="late")])
    kept = {entry.channel: entry for entry in store.deliveries(job.id)}
    assert set(kept) == {"kept", "slack", "sns"}
    assert kept["kept"].last_error is None
    due = store.claim_outbox(after(1), LEASE, 10)
    assert sorted(str(entry.channel) for entry in due) == ["slack", "sns"]


def test_an_unrouted_entry_that_no_channel_wants_is_gone(store: Store) -> None:
    tell(store, an_entry(job_number(1)))
    assert store.settle_outbox(the_claim(store, NOON))
    assert store.next_outbox_due_at() is None
    assert store.deliveries(job_number(1).id) == []


def test_a_retry_is_due_again_later(store: Store) -> None:
    tell(store, a_delivery(job_number(1)))
    claimed = the_claim(store, NOON)
    waiting = to_retry(claimed, "connection refused", after(1), 30)
    assert store.settle_outbox(waiting)
    assert store.next_outbox_due_at() == after(31)
    assert list(store.claim_outbox(after(30.999), LEASE, 10)) == []
    again = the_claim(store, after(31))
    assert (again.attempts, again.last_error) == (1, "connection refused")
    assert again.claim > claimed.claim
    (kept,) = store.deliveries(job_number(1).id)
    assert (kept.state, kept.attempts) == (DeliveryState.PENDING, 1)


def test_deliveries_are_listed_oldest_first(store: Store) -> None:
    job, other = job_number(1), job_number(2)
    numbers = (3, 1, 2)
    tell(store, an_entry(job, 9), *(a_delivery(job, n, at=after(n)) for n in numbers))
    tell(store, a_delivery(other), number=2)
    assert ids(store.deliveries(job.id)) == [a_delivery(job, n).id for n in (1, 2, 3)]
    assert ids(store.deliveries(other.id)) == [a_delivery(other).id]


def test_concurrent_claimers_never_share(store: Store) -> None:
    job = job_number(1)
    tell(store, *(an_entry(job, number) for number in range(1, 41)))

    def claim_until_none_is_left(_: int) -> list[str]:
        mine: list[str] = []
        while store.next_outbox_due_at() == NOON:
            mine.extend(ids(list(patiently(lambda: store.claim_outbox(NOON, LEASE, 3)))))
        return mine

    claimed = [entry for mine in at_once(8, claim_until_none_is_left) for entry in mine]
    assert sorted(claimed) == sorted(an_entry(job, number).id for number in range(1, 41))


def test_one_claim_has_one_settlement_however_many_try_at_once(store: Store) -> None:
    tell(store, a_delivery(job_number(1)))
    claimed = the_claim(store, NOON)
    done = delivered(claimed, NOON)
    settled = at_once(8, lambda _: patiently(lambda: store.settle_outbox(done)))
    assert settled.count(True) == 1


@pytest.mark.parametrize("days", [0, 89])
def test_purge_keeps_what_has_time_left(store: Store, days: int) -> None:
    job, now = job_number(1), NOON + timedelta(days=days)
    tell(store, an_entry(job), a_delivery(job))
    claimed = next(e for e in store.claim_outbox(NOON, LEASE, 10) if e.channel)
    store.settle_outbox(delivered(claimed, NOON))
    first, _ = store.create(Change(job=job_number(2, created_at=now)), a_token(at=now))
    store.purge_expired(now + timedelta(hours=7))
    assert len(store.deliveries(job.id)) == 1
    assert store.create(Change(job=job_number(3, created_at=now)), a_token(at=now)) == (
        first,
        False,
    )
    assert [entry.channel for entry in store.claim_outbox(now + timedelta(1), LEASE, 9)] == [None]


def test_what_waits_for_a_channel_is_found_and_brought_forward(store: Store) -> None:
    job = job_number(1)
    team = [a_delivery(job, number, at=after(500 + number)) for number in (1, 2)]
    tell(store, team[1], team[0], a_delivery(job, 3, at=after(500), channel="other"))
    waiting = store.pending("team", 10)
    assert ids(waiting) == ids(team)
    assert ids(store.pending("team", 1)) == [team[0].id]
    assert store.settle_outbox(replace(waiting[0], due_at=after(1)))
    assert ids(store.claim_outbox(after(2), LEASE, 10)) == [team[0].id]


def test_a_done_delivery_can_be_made_again_and_a_pending_one_not(store: Store) -> None:
    entry = a_delivery(job_number(1))
    tell(store, entry)
    claimed = the_claim(store, after(1))
    assert store.untold(entry.event.job_id) == 1
    assert not store.requeue(redelivered(claimed, after(2)))
    assert store.settle_outbox(delivered(claimed, after(2)))
    assert store.untold(entry.event.job_id) == 0
    assert store.requeue(redelivered(claimed, after(3)))
    again = the_claim(store, after(4))
    assert (again.id, again.attempts) == (entry.id, 0)
