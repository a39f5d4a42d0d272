"""Threads for calls: a lane of its own for what may take long, so that it holds up nothing else."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from trainbell.api.refusals import Overloaded

T = TypeVar("T")


class Lane:
    """Runs calls in at most `threads` threads, which are made when first needed.

    They are daemons: a call to a silent service does not hold up the end of the process. Up to
    `waiting` more calls wait for a thread; what comes then is refused.
    """

    def __init__(self, name: str, *, threads: int, waiting: int, retry_after_seconds: int) -> None:
        self._name = name
        self._threads_at_most = threads
        self._at_once = threads + waiting
        self._retry_after_seconds = retry_after_seconds
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._at_hand = 0

    async def run(self, call: Callable[[], T]) -> T:
        """The call's result, or what it raises. Where its caller goes away, it still ends.

        Raises:
            Overloaded: as many as may are at hand already.
        """
        self._enter()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()

        def settle(result: T | None, error: BaseException | None) -> None:
            if done.done():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]  # None only where T has it

        def work() -> None:
            result, error = None, None
            try:
                result = context.run(call)
            except BaseException as exc:  # noqa: BLE001 - it is raised where it is awaited
                error = exc
            self._leave()
            with suppress(RuntimeError):  # The server has ended meanwhile, and nobody waits.
                loop.call_soon_threadsafe(settle, result, error)

        self._calls.put(work)
        return await done

    def _enter(self) -> None:
        with self._lock:
            if self._at_hand >= self._at_once:
                raise Overloaded(
                    f"{self._at_hand} such calls are under way, which is as many as may be",
                    self._retry_after_seconds,
                )
            self._at_hand += 1
            if self._threads >= min(self._at_hand, self._threads_at_most):
                return
            self._threads += 1
            number = self._threads
        name = f"trainbell-{self._name}-{number}"
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _leave(self) -> None:
        with self._lock:
            self._at_hand -= 1

    def _work(self) -> None:
        while True:
            self._calls.get()()
