"""Waiting for a job through a Trainbell that comes and goes."""

from __future__ import annotations

from typing import Any

import pytest

from trainbell.cli.waiting import wait_for_end
from trainbell.cli.watched import Watched
from trainbell.client import ApiProblem, JsonObject, NotReached

ENDED: JsonObject = {"id": "01job", "state": "succeeded", "has_ended": True}


class Lost(Watched):
    """A server that was lost; `hosts` says whether this process could take its place."""

    def __init__(self, hosts: bool) -> None:
        self.hosts = hosts
        self.here = None
        self.asked: list[bool] = []
        self.client: Any = self

    def make_room(self) -> bool:
        return False

    def job(self, job_id: str) -> JsonObject:
        if not (self.hosts and True in self.asked):
            raise NotReached("nothing answers")
        return ENDED

    def find_again(self, *, may_host: bool) -> None:
        self.asked.append(may_host)
        if not (self.hosts and may_host):
            raise NotReached("none yet")


def test_a_lost_server_has_five_seconds_before_anybody_takes_its_place() -> None:
    slept: list[float] = []
    lost = Lost(hosts=True)
    assert wait_for_end(lost, "01job", quiet=True, sleep=slept.append) == ENDED
    assert lost.asked == [False] * 4 + [True]
    assert sum(slept) == 5


def test_after_a_minute_it_gives_up() -> None:
    slept: list[float] = []
    with pytest.raises(NotReached):
        wait_for_end(Lost(hosts=False), "01job", quiet=True, sleep=slept.append)
    assert sum(slept) == 60


def test_a_refusal_is_final() -> None:
    class Refusing(Lost):
        def job(self, job_id: str) -> JsonObject:
            raise ApiProblem(404, {"title": "none"})

    slept: list[float] = []
    with pytest.raises(ApiProblem):
        wait_for_end(Refusing(hosts=True), "01job", quiet=True, sleep=slept.append)
    assert slept == []
