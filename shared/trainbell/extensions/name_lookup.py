"""Looks up names within a time. The system's own look-up has none: it takes as long as a resolver
that doesn't answer is waited for, and can't be broken off.

So it happens in a thread that is left behind where it takes too long. All that ask for the same
name wait for the same thread, so that a name whose resolver hangs keeps one, and others have room.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from trainbell.domain.addresses import Address

AT_ONCE_AT_MOST = 64

Ask = Callable[[str, int], Sequence[Address]]


def ask_the_system(host: str, port: int) -> Sequence[Address]:
    """The addresses of a name, as the system has them. Raises OSError, UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(each[4][0]) for each in found]


class Lookups:
    """Thread-safe."""

    def __init__(self, ask: Ask = ask_the_system, at_once: int = AT_ONCE_AT_MOST) -> None:
        self._ask = ask
        self._at_once = at_once
        self._lock = threading.Lock()
        self._under_way: dict[tuple[str, int], Future[Sequence[Address]]] = {}

    def __call__(self, host: str, port: int, seconds: float | None) -> Sequence[Address]:
        """The addresses of a host; one that is an address itself is asked of nobody.

        Raises:
            TimeoutError: no answer within `seconds`, or too many others wait for theirs.
            OSError, UnicodeError: there is no such name.
        """
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            pass
        answer = self._answer(host, port)
        try:
            return answer.result(seconds)
        except TimeoutError as exc:
            raise TimeoutError(f"the look-up of {host} took too long") from exc

    def _answer(self, host: str, port: int) -> Future[Sequence[Address]]:
        with self._lock:
            under_way = self._under_way.get((host, port))
            if under_way is not None:
                return under_way
            if len(self._under_way) >= self._at_once:
                raise TimeoutError(f"the look-up of {host} waits behind too many others")
            answer = self._under_way[host, port] = Future()
        thread = threading.Thread(
            target=self._look_up, args=(host, port, answer), name="name-lookup", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as exc:  # No more threads.
            self._look_up_ended(host, port)
            answer.set_exception(OSError(str(exc)))
        return answer

    def _look_up(self, host: str, port: int, answer: Future[Sequence[Address]]) -> None:
        try:
            found = self._ask(host, port)
        except Exception as exc:  # noqa: BLE001 - whoever waits gets it
            self._look_up_ended(host, port)
            answer.set_exception(exc)
        else:
            self._look_up_ended(host, port)
            answer.set_result(found)

    def _look_up_ended(self, host: str, port: int) -> None:
        with self._lock:
            del self._under_way[host, port]


look_up = Lookups()
"""One for the process: its threads are bounded together."""
