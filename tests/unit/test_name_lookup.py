"""Names are looked up within a time, whatever the resolver does."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator, Sequence

import httpx
import pytest

from trainbell.domain.addresses import Address
from trainbell.extensions.bounded_http import WHOLE_SECONDS, BoundedTransport
from trainbell.extensions.name_lookup import Lookups

HERE = [ipaddress.ip_address("127.0.0.1")]


class Resolver:
    """Answers for names that begin with `slow` only when it is let."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_answer = threading.Event()

    def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append(host)
        if host.startswith("slow"):
            self.may_answer.wait(30)
        if host == "nowhere":
            raise OSError("no such name")
        return HERE


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    resolver = Resolver()
    yield resolver
    resolver.may_answer.set()


def test_a_name_and_an_address(resolver: Resolver) -> None:
    look_up = Lookups(resolver)
    assert look_up("fast", 443, 5) == HERE
    assert look_up("::1", 443, 0) == [ipaddress.ip_address("::1")]
    assert resolver.asked == ["fast"]
    for _ in range(2):  # A failure is not kept.
        with pytest.raises(OSError, match="no such name"):
            look_up("nowhere", 443, 5)
    assert resolver.asked == ["fast", "nowhere", "nowhere"]


def test_all_that_ask_for_one_name_wait_for_one_thread(resolver: Resolver) -> None:
    look_up = Lookups(resolver, at_once=2)
    for _ in range(5):
        with pytest.raises(TimeoutError, match="look-up of slow took too long"):
            look_up("slow", 443, 0.01)
    assert resolver.asked == ["slow"]
    assert look_up("fast", 443, 5) == HERE  # It has room beside.
    with pytest.raises(TimeoutError):
        look_up("slow-too", 443, 0.01)
    with pytest.raises(TimeoutError, match="behind too many others"):
        look_up("fast", 443, 5)
    resolver.may_answer.set()
    assert look_up("slow", 443, 5) == HERE
    assert look_up("slow-too", 443, 5) == HERE


def test_the_look_up_is_a_part_of_the_whole_exchange(resolver: Resolver) -> None:
    request = httpx.Request("GET", "https://slow.example/", extensions={WHOLE_SECONDS: 0.05})
    with (
        BoundedTransport(resolve=Lookups(resolver)) as transport,
        pytest.raises(httpx.ConnectTimeout, match="took too long"),
    ):
        transport.handle_request(request)
