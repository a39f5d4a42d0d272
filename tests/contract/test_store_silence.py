"""A service's wish for silence, and its end by a person's word."""

from __future__ import annotations

from tests.builders import NOON
from tests.contract.store_builders import after
from trainbell.ports import Store


def test_a_silence_that_is_lifted_holds_nobody_back(store: Store) -> None:
    store.hold_calls("deepva", after(3600))
    assert store.reserve_call("deepva", 60, NOON) == after(3600)
    assert store.reserve_call("deepva", 60, NOON) > after(3600)
    store.lift_silence("deepva")
    assert store.reserve_call("deepva", 60, after(1)) == after(1)
    assert after(1) < store.reserve_call("deepva", 60, after(1)) < after(3)


def test_lifting_what_is_not_silent_does_nothing_to_others(store: Store) -> None:
    store.hold_calls("deepva", after(3600))
    store.lift_silence("einstein")
    assert store.reserve_call("deepva", 60, NOON) == after(3600)
