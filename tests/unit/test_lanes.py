"""Threads for calls: bounded, apart from each other, and never in the way of the process's end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from trainbell.api.lanes import Lane
from trainbell.api.refusals import Overloaded

PATIENCE_SECONDS = 10.0


def a_lane(threads: int = 2, waiting: int = 0) -> Lane:
    return Lane("test", threads=threads, waiting=waiting, retry_after_seconds=7)


def waiting_for(event: threading.Event) -> Callable[[], bool]:
    return lambda: event.wait(PATIENCE_SECONDS)


def test_a_call_gives_its_result_or_what_it_raises() -> None:
    def fails() -> None:
        raise KeyError("no")

    async def both() -> None:
        lane = a_lane()
        assert await lane.run(lambda: 42) == 42
        with pytest.raises(KeyError, match="no"):
            await lane.run(fails)
        # What failed has left: there is room for as many as before.
        assert await asyncio.gather(*(lane.run(lambda: 1) for _ in range(2))) == [1, 1]

    asyncio.run(both())


def test_what_comes_beyond_its_bound_is_refused_at_once() -> None:
    async def fill() -> None:
        go = threading.Event()
        lane = a_lane(threads=2, waiting=1)
        calls = [asyncio.create_task(lane.run(waiting_for(go))) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as refused:
            await lane.run(lambda: 1)
        assert refused.value.retry_after_seconds == 7
        go.set()
        assert await asyncio.gather(*calls) == [True, True, True]
        assert await lane.run(lambda: 1) == 1

    asyncio.run(fill())


def test_a_call_whose_caller_went_away_keeps_its_place_to_its_end() -> None:
    async def leave() -> None:
        go, ended = threading.Event(), threading.Event()
        lane = a_lane(threads=1)

        def slow() -> None:
            go.wait(PATIENCE_SECONDS)
            ended.set()

        call = asyncio.create_task(lane.run(slow))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        with pytest.raises(Overloaded):
            await lane.run(lambda: 1)
        go.set()
        assert await asyncio.to_thread(ended.wait, PATIENCE_SECONDS)

    asyncio.run(leave())


def test_its_threads_do_not_hold_up_the_end_of_the_process() -> None:
    async def names() -> set[tuple[str, bool]]:
        lane = a_lane(threads=1)
        thread = await lane.run(threading.current_thread)
        return {(thread.name, thread.daemon)}

    assert asyncio.run(names()) == {("trainbell-test-1", True)}
