"""Trouble that lasts is one line, not a flood."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from trainbell.embedded.log_lines import OncePerCondition
from trainbell.errors import StoreFull

HOUR = 3600.0


@dataclass
class Log:
    """A logger with the filter on its handler, what it wrote, and a clock to move."""

    logger: logging.Logger
    written: io.StringIO
    now: float = 1000.0

    @property
    def lines(self) -> list[str]:
        return self.written.getvalue().splitlines()

    def disk_is_full(self, where: str) -> None:
        try:
            raise StoreFull("no room to write the database /d/t.sqlite3: free some space there")
        except StoreFull:
            self.logger.exception("%s could not be done; trying again soon", where)


@pytest.fixture
def log() -> Iterator[Log]:
    written = io.StringIO()
    made = Log(logging.Logger("any"), written)  # noqa: LOG001 - one that nobody else listens to
    handler = logging.StreamHandler(written)
    handler.addFilter(OncePerCondition(lambda: made.now))
    made.logger.addHandler(handler)
    yield made
    handler.close()


def test_a_full_disk_is_one_line_however_often_and_wherever_it_is_met(log: Log) -> None:
    for number in range(15_000):
        log.now += 0.1
        log.disk_is_full(f"job {number}")

    assert log.lines == [
        "StoreFull: no room to write the database /d/t.sqlite3: free some space there"
    ]


def test_each_hour_that_it_lasts_there_is_one_more(log: Log) -> None:
    begun = log.now
    while log.now < begun + 2.5 * HOUR:
        log.disk_is_full("a look")
        log.now += 60

    assert len(log.lines) == 3
    assert "still so; met 60 times" in log.lines[1]


def test_once_it_was_over_it_is_said_anew(log: Log) -> None:
    log.disk_is_full("a look")
    log.now += HOUR
    log.disk_is_full("a look")

    assert len(log.lines) == 2
    assert "still so" not in log.lines[1]


def test_a_fault_keeps_its_traceback_once(log: Log) -> None:
    for _ in range(3):
        try:
            raise ZeroDivisionError("here")
        except ZeroDivisionError:
            log.logger.exception("the loop could not do its work")

    assert log.written.getvalue().count("Traceback") == 1


def test_different_things_are_all_said(log: Log) -> None:
    for number in range(3000):
        log.logger.warning("channel %s refuses", number)

    assert len(log.lines) == 3000
