"""Jobs, events, holds and tokens: what every store promises about writing them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import NOON, changed
from tests.contract.store_builders import (
    a_delivery,
    a_token,
    after,
    all_events,
    an_entry,
    an_event,
    at_once,
    job_number,
    patiently,
    stored,
)
from trainbell.domain.events import EventType
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import EndReason, Job, Performance, State
from trainbell.domain.slots import slot_hold
from trainbell.errors import (
    HoldTaken,
    IdempotencyConflict,
    InputInvalid,
    JobConflict,
    NotFound,
    StoreUnavailable,
)
from trainbell.ports import Change, JobQuery, Store

EIGHT_HOURS = 8 * 3600


def nothing_is_left(store: Store, job: Job, hold: str) -> bool:
    with pytest.raises(NotFound):
        store.get(job.id)
    listed = store.list(JobQuery(project=job.order.project)).items
    return (
        job.id not in [found.id for found in listed]
        and not all_events(store, job)
        and store.find_by_hold(hold) != job.id
        and not store.claim_outbox(after(EIGHT_HOURS), 1, 10)
    )


def test_created_job_comes_back_as_it_was(store: Store) -> None:
    job = job_number(1, name="digits", parameters={"epochs": 3}, deadline_at=after(99))
    created, is_new = store.create(Change(job=job))
    assert is_new
    assert created == replace(job, revision=1)
    assert store.get(job.id) == created


def test_every_kind_of_value_survives(store: Store) -> None:
    job = job_number(
        1,
        name="Größe 训练 🔔",
        parameters={
            "text": "é\u0000\u2028" + "x" * 262_000,
            "deep": {"list": [1, 2.5, None, True]},
        },
        tags={f"ключ-{number}": f"значение {number}" for number in range(200)},
        handle={"arn": "aws:…", "number": 12345678901234567890},
        state=State.RUNNING,
        progress=0.1 + 0.2,
        progress_trail=((NOON, 0.1), (after(0.000001), 0.30000000000000004)),
        performance=Performance(
            metrics={"f1": 0.925, "tiny": 5e-324},
            per_tag={"猫": {"recall": 1.0}},
            curve=({"x": 1.0},),
        ),
        last_error=Failure(
            kind=FailureKind.UNAVAILABLE,
            type="ProviderUnavailable",
            message="💥",
            at=NOON,
            details=["a", {}],
        ),
    )
    created, _ = store.create(Change(job=job))
    assert store.get(job.id) == created == replace(job, revision=1)
    assert store.save(Change(job=created)) == store.get(job.id)


def test_unknown_things_are_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="01nosuchjob"):
        store.get("01nosuchjob")
    assert store.find_by_hold("name:default:none") is None
    assert store.events("01nosuchjob", limit=10).items == ()
    assert store.deliveries("01nosuchjob") == []
    with pytest.raises(JobConflict):
        store.save(Change(job=job_number(1, revision=1)))
    with pytest.raises(JobConflict):
        store.delete(job_number(1, revision=1))


def test_an_id_is_created_once(store: Store) -> None:
    first = stored(store, 1, kind="train")
    with pytest.raises(JobConflict):
        stored(store, 1, kind="test")
    assert store.get(first.id) == first


# ---------------------------------------------------------------- idempotency tokens


def test_the_same_token_gives_the_job_of_then(store: Store) -> None:
    first, _ = store.create(Change(job=job_number(1)), a_token())
    moved = store.save(Change(job=replace(first, state=State.WAITING), events=(an_event(first),)))
    again = job_number(2, created_at=after(60))
    change = Change(job=again, events=(an_event(again),), outbox=(an_entry(again),), take=("h",))
    assert store.create(change, a_token(at=after(60))) == (moved, False)
    assert nothing_is_left(store, again, "h")


def test_a_token_with_other_input_is_a_conflict(store: Store) -> None:
    store.create(Change(job=job_number(1)), a_token())
    other = job_number(2)
    change = Change(job=other, events=(an_event(other),), outbox=(an_entry(other),), take=("h",))
    with pytest.raises(IdempotencyConflict, match="key-1"):
        store.create(change, a_token(fingerprint="f2"))
    assert nothing_is_left(store, other, "h")


def test_tokens_of_another_project_or_key_are_others(store: Store) -> None:
    store.create(Change(job=job_number(1)), a_token())
    elsewhere = replace(a_token(fingerprint="f2"), project="vision")
    assert store.create(Change(job=job_number(2, project="vision")), elsewhere)[1]
    assert store.create(Change(job=job_number(3)), a_token("key-2", fingerprint="f2"))[1]


@pytest.mark.parametrize(("seconds", "is_new"), [(EIGHT_HOURS - 1, False), (EIGHT_HOURS, True)])
def test_a_token_is_good_for_eight_hours(store: Store, seconds: int, is_new: bool) -> None:
    store.create(Change(job=job_number(1)), a_token())
    later = job_number(2, created_at=after(seconds))
    assert store.create(Change(job=later), a_token(at=after(seconds)))[1] is is_new


def test_an_expired_token_is_replaced(store: Store) -> None:
    store.create(Change(job=job_number(1)), a_token())
    for number in (2, 3):
        at = after(EIGHT_HOURS + number)
        change = Change(job=job_number(number, created_at=at))
        job, _ = store.create(change, a_token(fingerprint="f2", at=at))
        assert job.id == job_number(2).id


def test_one_token_makes_one_job_however_many_ask_at_once(store: Store) -> None:
    answers = at_once(
        16,
        lambda number: patiently(lambda: store.create(Change(job=job_number(number)), a_token())),
    )
    assert len({job.id for job, _ in answers}) == 1
    assert [is_new for _, is_new in answers].count(True) == 1
    assert len(store.list(JobQuery(project="default")).items) == 1


def test_the_token_of_a_deleted_job_starts_nothing(store: Store) -> None:
    job, _ = store.create(Change(job=job_number(1, state=State.FAILED)), a_token())
    store.delete(job)
    with pytest.raises(IdempotencyConflict, match=job.id):
        store.create(Change(job=job_number(2)), a_token())


# ---------------------------------------------------------------- holds


def test_a_hold_is_taken_once_and_nothing_is_left_of_the_loser(store: Store) -> None:
    winner, _ = store.create(Change(job=job_number(1), take=("name:default:x",)))
    loser = job_number(2)
    change = Change(
        job=loser,
        events=(an_event(loser),),
        outbox=(an_entry(loser),),
        take=("dataset:d", "name:default:x"),
    )
    with pytest.raises(HoldTaken) as refusal:
        store.create(change, a_token())
    assert (refusal.value.key, refusal.value.holder) == ("name:default:x", winner.id)
    assert nothing_is_left(store, loser, "dataset:d")
    assert store.find_by_hold("name:default:x") == winner.id
    free = job_number(3)
    assert store.create(Change(job=free, take=("dataset:d",)), a_token(fingerprint="f3"))[1]


def test_holds_move_with_a_save(store: Store) -> None:
    first, second = stored(store, 1), stored(store, 2)
    first = store.save(Change(job=first, take=("slot:1", "dataset:d")))
    first = store.save(Change(job=first, take=("slot:1",)))
    with pytest.raises(HoldTaken) as refusal:
        store.save(Change(job=second, events=(an_event(second),), take=("slot:2", "slot:1")))
    assert (refusal.value.key, refusal.value.holder) == ("slot:1", first.id)
    assert store.get(second.id) == second
    assert all_events(store, second) == ()
    assert store.find_by_hold("slot:2") is None
    store.save(Change(job=first, release=("slot:1", "never:held")))
    assert store.save(Change(job=second, take=("slot:1",))).revision == 2
    assert store.find_by_hold("slot:1") == second.id
    assert store.find_by_hold("dataset:d") == first.id


def test_nobody_releases_the_hold_of_another(store: Store) -> None:
    holder, _ = store.create(Change(job=job_number(1), take=("slot:1",)))
    store.save(Change(job=stored(store, 2), release=("slot:1",)))
    assert store.find_by_hold("slot:1") == holder.id


def test_a_hold_has_one_winner_however_many_ask_at_once(store: Store) -> None:
    def ask(number: int) -> bool:
        change = Change(job=job_number(number), take=("slot:1",))
        try:
            return patiently(lambda: store.create(change))[1]
        except HoldTaken:
            return False

    assert at_once(16, ask).count(True) == 1
    assert len(store.list(JobQuery(project="default")).items) == 1


# ---------------------------------------------------------------- slots


def test_a_free_slot_is_found_from_a_number_on_and_around(store: Store) -> None:
    assert store.free_slot("narrow", 3) == "slot:narrow:0"
    assert store.free_slot("narrow", 3, first=2) == "slot:narrow:2"
    taken = tuple(slot_hold("narrow", number) for number in (0, 2))
    job, _ = store.create(Change(job=job_number(1), take=taken))
    assert store.free_slot("narrow", 3, first=2) == "slot:narrow:1"
    job = store.save(Change(job=job, take=("slot:narrow:1",)))
    assert store.find_by_hold("slot:narrow:1") == job.id
    assert store.free_slot("narrow", 3) is None
    store.save(Change(job=job, release=("slot:narrow:2",)))
    assert store.free_slot("narrow", 3) == "slot:narrow:2"
    assert store.free_slot("narrow", 2) is None  # Fewer slots than there were: those beyond go out.


def test_slots_of_one_connection_are_not_anothers(store: Store) -> None:
    # Names that begin alike, and other holds of the same connection.
    held = ("slot:narrow-2:0", "slot:narro:0", "dataset:narrow:0", "name:slot:narrow")
    store.create(Change(job=job_number(1), take=held))
    assert store.free_slot("narrow", 1) == "slot:narrow:0"
    assert store.free_slot("narrow-2", 1) is None


def test_all_slots_are_found_and_given_back_with_their_jobs(store: Store) -> None:
    slots = 12

    def ask(number: int) -> str | None:
        job = stored(store, number)
        while (hold := store.free_slot("wide", slots, first=number % 3)) is not None:
            change = Change(job=replace(job, holds=(hold,)), take=(hold,))
            try:
                patiently(lambda: store.save(change))  # noqa: B023 - called at once
            except HoldTaken:
                continue  # Somebody else was quicker; the next look doesn't show it any more.
            return hold
        return None

    holds = [hold for hold in at_once(16, ask) if hold is not None]
    assert sorted(holds) == sorted(slot_hold("wide", number) for number in range(slots))
    for job in store.list(JobQuery(project="default")).items:
        store.delete(job)
    assert store.free_slot("wide", slots) == "slot:wide:0"


# ---------------------------------------------------------------- changes


def test_a_save_counts_the_revision(store: Store) -> None:
    job = stored(store)
    polled = store.save(Change(job=changed(job, polls=1, next_poll_at=after(30))))
    assert polled == changed(job, polls=1, next_poll_at=after(30), revision=2)
    assert store.get(job.id) == polled


@pytest.mark.parametrize("with_event", [False, True])
def test_an_outdated_revision_writes_nothing(store: Store, with_event: bool) -> None:
    job = stored(store)
    newer = store.save(Change(job=changed(job, polls=1)))
    events = (an_event(job),) if with_event else ()
    with pytest.raises(JobConflict, match=job.id):
        store.save(Change(job=changed(job, polls=7), events=events, outbox=()))
    assert store.get(job.id) == newer
    assert all_events(store, job) == ()


def test_a_state_that_changes_without_an_event_is_listed_as_changed(store: Store) -> None:
    job = stored(store)
    store.save(Change(job=replace(job, state=State.RUNNING)))
    found = store.list(JobQuery(project="default", states=frozenset({State.RUNNING})))
    assert [job.id for job in found.items] == [job.id]


def test_job_events_and_outbox_are_stored_together(store: Store) -> None:
    job = job_number(1)
    created, _ = store.create(
        Change(job=job, events=(an_event(job, 1), an_event(job, 2)), outbox=(an_entry(job, 2),))
    )
    running = replace(created, state=State.RUNNING, event_count=3)
    event = an_event(
        running,
        3,
        type=EventType.JOB_STARTED,
        previous_state=State.STARTING,
        data={"handle": {"a": 1}},
    )
    store.save(Change(job=running, events=(event,), outbox=(an_entry(running, 3),)))
    assert all_events(store, job) == (an_event(job, 1), an_event(job, 2), event)
    told = [entry.event.sequence for entry in store.claim_outbox(NOON, 60, 10)]
    assert sorted(told) == [2, 3]


def test_events_come_in_pages(store: Store) -> None:
    job = job_number(1)
    events = tuple(an_event(job, number) for number in range(1, 13))
    store.create(Change(job=job, events=events))
    other = job_number(2)
    store.create(Change(job=other, events=(an_event(other),)))
    first = store.events(job.id, limit=5)
    second = store.events(job.id, limit=5, cursor=first.next_cursor)
    third = store.events(job.id, limit=5, cursor=second.next_cursor)
    assert first.items + second.items + third.items == events
    assert third.next_cursor is None
    assert store.events(job.id, limit=12).next_cursor is None
    for cursor, of in (("nonsense", job), (first.next_cursor, other)):
        with pytest.raises(InputInvalid) as refusal:
            store.events(of.id, limit=5, cursor=cursor)
        assert refusal.value.problems[0].path == "cursor"


def test_fifty_writers_write_one_end(store: Store) -> None:
    job = stored(store, 1, state=State.RUNNING, handle={"id": "1"})
    ends = [(State.SUCCEEDED, EndReason.COMPLETED), (State.FAILED, EndReason.SERVICE_FAILED)]

    def end(number: int) -> bool:
        state, reason = ends[number % 2]
        ended = changed(job, state=state, end_reason=reason, message=f"writer {number}")
        event = an_event(ended, 1, type=EventType.JOB_FINISHED, data={"writer": number})
        try:
            store.save(Change(job=ended, events=(event,), outbox=(an_entry(ended),)))
        except (JobConflict, StoreUnavailable):
            return False
        return True

    wins = at_once(50, end)
    assert wins.count(True) == 1
    winner = wins.index(True)
    assert store.get(job.id).seen.message == f"writer {winner}"
    assert store.get(job.id).revision == 2
    assert [event.data for event in all_events(store, job)] == [{"writer": winner}]
    assert len(store.claim_outbox(NOON, 60, 100)) == 1


# ---------------------------------------------------------------- delete


def test_delete_leaves_nothing(store: Store) -> None:
    job = job_number(1, state=State.FAILED, tags={"team": "a"}, holds=("name:default:x",))
    change = Change(
        job=job,
        events=(an_event(job),),
        outbox=(an_entry(job), a_delivery(job)),
        take=("name:default:x",),
    )
    created, _ = store.create(change)
    other = stored(store, 2, tags={"team": "a"})
    store.delete(created)
    assert nothing_is_left(store, job, "name:default:x")
    assert store.deliveries(job.id) == []
    assert store.find_by_hold("name:default:x") is None
    tagged = store.list(JobQuery(project="default", tag=("team", "a")))
    assert tagged.items == (other,)


def test_delete_needs_the_latest_revision(store: Store) -> None:
    job = job_number(1, state=State.FAILED)
    created, _ = store.create(Change(job=job, events=(an_event(job),), take=("h",)))
    newer = store.save(Change(job=changed(created, message="late news")))
    with pytest.raises(JobConflict):
        store.delete(created)
    assert store.get(job.id) == newer
    assert len(all_events(store, job)) == 1
    assert store.find_by_hold("h") == job.id
