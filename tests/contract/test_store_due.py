"""Due jobs, counts by state, rate budgets and the history of durations."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import NOON, changed
from tests.contract.store_builders import after, at_once, job_number, patiently, stored
from trainbell.domain.job import END_STATES, State
from trainbell.domain.rate_budget import PLACE_GRACE_SECONDS, WINDOW_SECONDS
from trainbell.errors import JobConflict
from trainbell.ports import Change, DueJob, Store
from trainbell.stores.sqlite import jobs as sqlite_jobs


def test_due_jobs_come_longest_overdue_first(store: Store) -> None:
    waits = [40.000002, 10, 30, 40.000001, 50, 20]
    jobs = [
        stored(store, number, next_poll_at=after(wait), connection=f"c-{number}")
        for number, wait in enumerate(waits)
    ]
    due = store.due(after(40.000002), 10)
    assert [entry.id for entry in due] == [jobs[number].id for number in (1, 5, 2, 3, 0)]
    assert due[0] == DueJob(jobs[1].id, "c-1", after(10))
    assert [entry.id for entry in store.due(after(45), 2)] == [jobs[1].id, jobs[5].id]
    assert store.due(after(9.999999), 10) == []
    assert store.next_due_at() == after(10)


def test_no_connection_fills_the_line_alone(store: Store) -> None:
    for number in range(6):
        stored(store, number, next_poll_at=after(number), connection="hangs")
    last = stored(store, 9, next_poll_at=after(50), connection="well")
    due = store.due(after(60), 10, per_connection=lambda _: 2)
    assert [entry.connection for entry in due] == ["hangs", "hangs", "well"]
    assert due[-1].id == last.id
    assert [entry.due_at for entry in due] == [after(0), after(1), after(50)]


def test_a_poll_moves_the_job_in_the_line(store: Store) -> None:
    first, second = stored(store, 1, next_poll_at=after(1)), stored(store, 2, next_poll_at=after(2))
    store.save(Change(job=changed(first, polls=1, next_poll_at=after(3))))
    assert [due.id for due in store.due(after(9), 9)] == [second.id, first.id]
    assert store.next_due_at() == after(2)


def test_ended_jobs_and_those_that_wait_for_nothing_are_never_due(store: Store) -> None:
    assert store.next_due_at() is None
    for number, state in enumerate(sorted(END_STATES)):
        job = stored(store, number, state=State.RUNNING)
        store.save(Change(job=changed(job, state=state, next_poll_at=None)))
    stored(store, 99, next_poll_at=None)
    assert store.due(after(1e6), 100) == []
    assert store.next_due_at() is None


def test_a_lost_job_is_looked_for_and_not_active(store: Store) -> None:
    running = stored(store, 1, next_poll_at=after(7), connection="c")
    lost = stored(store, 2, next_poll_at=after(3), connection="c")
    store.save(Change(job=replace(lost, state=State.LOST)))
    assert [due.id for due in store.due(after(9), 9)] == [lost.id, running.id]
    assert [due.id for due in store.active("c", 9)] == [running.id]
    assert store.count_by_state() == {running.state: 1}


def test_the_active_jobs_of_a_connection_come_furthest_first(store: Store) -> None:
    jobs = [stored(store, n, next_poll_at=after(n), connection="c") for n in range(5)]
    stored(store, 9, next_poll_at=after(99), connection="other")
    assert [due.id for due in store.active("c", 3)] == [jobs[n].id for n in (4, 3, 2)]
    assert store.active("none", 3) == []


def test_every_watched_job_is_come_to_once(store: Store) -> None:
    jobs = [stored(store, n, next_poll_at=after(n % 3), connection=f"c-{n % 2}") for n in range(12)]
    stored(store, 98, next_poll_at=None)
    ended = stored(store, 99, state=State.RUNNING)
    store.save(Change(job=changed(ended, state=State.SUCCEEDED, next_poll_at=None)))
    found = sorted(store.watched(), key=lambda due: due.id)
    assert found == [DueJob(job.id, job.order.connection, job.due_at or NOON) for job in jobs]


def test_a_job_that_moves_while_all_are_gone_through_hides_no_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_jobs, "PAGE", 2)
    jobs = {
        job.id: job
        for job in (stored(store, n, next_poll_at=after(60 + n), connection="c") for n in range(7))
    }
    seen = []
    for due in store.watched():
        seen.append(due.id)
        store.save(Change(job=changed(jobs[due.id], next_poll_at=NOON)))
    assert sorted(seen) == sorted(jobs)


def test_a_deleted_job_is_not_due(store: Store) -> None:
    store.delete(stored(store, next_poll_at=NOON))
    assert store.due(after(60), 10) == []


def test_active_jobs_are_counted_by_state(store: Store) -> None:
    states = [State.RUNNING, State.RUNNING, State.WAITING, State.SUCCEEDED, State.CANCELLING]
    for number, state in enumerate(states):
        stored(store, number, state=state, project="vision" if number == 1 else "default")
    everywhere = {State.RUNNING: 2, State.WAITING: 1, State.CANCELLING: 1}
    assert store.count_by_state() == everywhere
    assert store.count_by_state("default") == {**everywhere, State.RUNNING: 1}
    assert store.count_by_state("nowhere") == {}


# ---------------------------------------------------------------- rate budgets


def test_places_in_the_line_follow_each_other(store: Store) -> None:
    places = [store.reserve_call("deepva", 13, NOON) for _ in range(4)]
    assert places == [after(5 * number) for number in range(4)]
    assert store.reserve_call("other", 13, NOON) == NOON
    assert store.reserve_call("deepva", 13, after(300)) == after(300)


def test_the_budget_is_never_exceeded_however_many_ask_at_once(store: Store) -> None:
    per_minute = 30

    def ask(number: int) -> list[float]:
        now = after(number)
        places = [
            patiently(lambda: store.reserve_call("deepva", per_minute, now)) for _ in range(5)
        ]
        assert places == sorted(places)
        assert min(places) >= now
        return [(place - NOON).total_seconds() for place in places]

    places = sorted(place for caller in at_once(16, ask) for place in caller)
    assert len(set(places)) == 80
    # A place may be used late, by the grace; even so no window holds more than the budget.
    width = WINDOW_SECONDS + PLACE_GRACE_SECONDS
    for start in places:
        assert sum(start <= place < start + width - 1e-3 for place in places) <= per_minute


def test_everybody_gets_a_turn_in_the_order_of_asking(store: Store) -> None:
    asked = [(name, store.reserve_call("c", 60, NOON)) for name in "abcabcabc"]
    assert [name for name, _ in sorted(asked, key=lambda turn: turn[1])] == list("abcabcabc")


def test_a_service_that_asks_for_silence_gets_it(store: Store) -> None:
    store.reserve_call("deepva", 65, NOON)
    store.hold_calls("deepva", after(90))
    store.hold_calls("deepva", after(40))
    first = store.reserve_call("deepva", 65, after(1))
    assert after(90) <= first <= after(91)
    assert store.reserve_call("deepva", 65, after(1)) == first + timedelta(seconds=1)
    assert store.reserve_call("other", 65, after(1)) == after(1)
    assert store.reserve_call("deepva", 65, after(200)) == after(200)


def test_silence_before_the_first_call_counts_too(store: Store) -> None:
    store.hold_calls("deepva", after(30))
    assert store.reserve_call("deepva", 65, NOON) >= after(30)


# ---------------------------------------------------------------- durations


def test_durations_are_counted_by_key_and_bin(store: Store) -> None:
    assert store.durations([]).by_likeness == ()
    assert store.durations(["a", "b"]).by_likeness == ({}, {})
    for number, bin_number in enumerate([3, 3, 0, 12]):
        job = stored(store, number)
        keys = ("a", "b") if number else ("a",)
        store.save(Change(job=job, duration_keys=keys, duration_bin=bin_number))
    assert store.durations(["b", "a", "c"]).by_likeness == (
        {3: 1, 0: 1, 12: 1},
        {3: 2, 0: 1, 12: 1},
        {},
    )


def test_a_refused_change_counts_no_duration(store: Store) -> None:
    job = stored(store)
    store.save(Change(job=job))
    with pytest.raises(JobConflict):
        store.save(Change(job=job, duration_keys=("a",), duration_bin=1))
    assert store.durations(["a"]).by_likeness == ({},)


def test_no_count_is_lost_when_many_end_at_once(store: Store) -> None:
    jobs = [stored(store, number) for number in range(16)]

    def end(number: int) -> None:
        store.durations(["a"])
        change = Change(job=jobs[number], duration_keys=("a",), duration_bin=number % 2)
        patiently(lambda: store.save(change))
        store.durations(["a"])

    at_once(16, end)
    assert store.durations(["a"]).by_likeness == ({0: 8, 1: 8},)


def test_created_job_is_due_at_once(store: Store) -> None:
    job, _ = store.create(Change(job=job_number(1)))
    assert store.due(NOON, 1) == [DueJob(job.id, "deepva", NOON)]
