"""Live clients: made once, lent safely, closed when nobody uses them any more."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from threading import Barrier, Event, Thread

import pytest

from tests.builders import FakeClock
from trainbell.extensions.client_pool import RETIRED_FOR, ClientPool

PATIENCE_SECONDS = 30.0


class Client:
    def __init__(self, settings: str) -> None:
        self.settings = settings
        self.closed: float = 0

    def close(self) -> None:
        self.closed += 1


def a_pool(
    at_most: int = 8, make: Callable[[str], Client] = Client, clock: FakeClock | None = None
) -> ClientPool[str, Client]:
    return ClientPool(make, clock or FakeClock(), at_most=at_most)


def test_one_is_made_for_each_name_and_kept() -> None:
    pool = a_pool()
    with pool.lease("a", "1") as first, pool.lease("a", "1") as again, pool.lease("b", "1") as b:
        assert first is again
        assert first is not b
    assert not first.closed
    with pool.lease("a", "1") as later:
        assert later is first


def test_a_replaced_client_is_closed_by_whoever_gives_it_back_last() -> None:
    pool = a_pool()
    with ExitStack() as others:
        with pool.lease("a", "1") as old:
            others.enter_context(pool.lease("a", "1"))
            with pool.lease("a", "2") as new:
                assert new is not old
            assert not old.closed
        assert not old.closed
    assert old.closed == 1
    assert not new.closed


def test_an_idle_client_is_closed_when_it_is_replaced() -> None:
    pool = a_pool()
    with pool.lease("a", "1") as old:
        pass
    with pool.lease("a", "2"):
        assert old.closed == 1


def test_one_that_was_handed_out_stays_open_longer_than_any_call() -> None:
    clock = FakeClock()
    pool = a_pool(clock=clock)
    old = pool.client("a", "1")
    with pool.lease("a", "1") as same:
        assert same is old
        pool.client("a", "2")
    assert not old.closed
    clock.advance(RETIRED_FOR.total_seconds())
    pool.client("b", "1")
    assert old.closed == 1


def test_one_that_is_lent_for_long_outlives_even_that() -> None:
    clock = FakeClock()
    pool = a_pool(clock=clock)
    pool.client("a", "1")
    with pool.lease("a", "1") as lent:
        pool.client("a", "2")
        clock.advance(RETIRED_FOR.total_seconds() * 2)
        pool.client("b", "1")
        assert not lent.closed
    assert lent.closed == 1


def test_the_longest_unused_goes_but_not_under_anybodys_hands() -> None:
    pool = a_pool(at_most=2)
    with pool.lease("a", "1") as a:
        with pool.lease("b", "1") as b:
            pass
        with pool.lease("a", "1"), pool.lease("c", "1"):
            assert b.closed == 1
        with pool.lease("d", "1"):
            assert not a.closed
    assert a.closed == 1


def test_close_leaves_what_is_lent_to_its_borrower() -> None:
    pool = a_pool()
    handed_out = pool.client("b", "1")
    with pool.lease("a", "1") as lent:
        pool.close()
        pool.close()
        assert handed_out.closed == 1
        assert not lent.closed
    assert lent.closed == 1


def test_a_client_that_does_not_close_well_undoes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stuck(Client):
        def close(self) -> None:
            raise OSError("stuck")

    pool = a_pool(make=Stuck)
    with pool.lease("a", "1"):
        pass
    with caplog.at_level(logging.ERROR), pool.lease("a", "2") as client:
        assert client.settings == "2"
    assert "a client could not be closed" in caplog.text


def test_a_failed_send_gives_its_client_back() -> None:
    pool = a_pool()
    with pytest.raises(RuntimeError), pool.lease("a", "1") as client:
        raise RuntimeError
    with pool.lease("a", "2"):
        assert client.closed == 1


def test_a_failed_build_is_tried_again_and_hides_the_old_client_no_longer() -> None:
    def make(settings: str) -> Client:
        if settings == "bad":
            raise ValueError(settings)
        return Client(settings)

    pool = a_pool(make=make)
    for _ in range(2):
        with pytest.raises(ValueError, match="bad"), pool.lease("a", "bad"):
            pass
    with pool.lease("a", "good") as client:
        assert client.settings == "good"


def test_many_threads_get_one_client_and_a_slow_name_holds_up_no_other() -> None:
    go, together, made = Event(), Barrier(9), []

    def make(settings: str) -> Client:
        if settings == "slow":
            assert go.wait(PATIENCE_SECONDS)
        made.append(settings)
        return Client(settings)

    pool = a_pool(make=make)

    def use() -> None:
        together.wait(PATIENCE_SECONDS)
        with pool.lease("a", "slow"):
            pass

    threads = [Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    together.wait(PATIENCE_SECONDS)
    with pool.lease("b", "quick"):
        assert made == ["quick"]
    go.set()
    for thread in threads:
        thread.join()
    assert made == ["quick", "slow"]


def test_under_changing_settings_nobody_ever_holds_a_closed_client() -> None:
    pool, faults, made = a_pool(), [], []
    together = Barrier(8)

    def make(settings: str) -> Client:
        made.append(Client(settings))
        return made[-1]

    pool = a_pool(make=make)

    def use(number: int) -> None:
        together.wait(PATIENCE_SECONDS)
        for turn in range(200):
            with pool.lease("a", str((number + turn) % 3)) as client:
                time.sleep(0)
                faults.extend([client] if client.closed else [])

    threads = [Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close()
    assert faults == []
    assert {client.closed for client in made} == {1}
