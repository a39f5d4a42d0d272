"""Dependency builds (R3) and conversions (R4) at DataRobot."""

from __future__ import annotations

import gzip

import httpx
import pytest

from tests.builders import FakeClock
from tests.contract.datarobot.service import an_order, answering
from trainbell.domain.job import State
from trainbell.errors import (
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
)
from trainbell.providers.datarobot import status_map as tables
from trainbell.providers.datarobot.provider import DataRobot
from trainbell.simulators.datarobot import DataRobotSimulator
from trainbell.simulators.datarobot.world import (
    MODEL,
    VERSION,
)

# ---------------------------------------------------------------- R3: dependency builds


def test_R3_a_build_has_a_log_once_it_has_ended(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order("build_dependencies"))
    assert datarobot.logs(handle, 10) == []
    simulator.clock.advance(60)
    assert datarobot.logs(handle, 2) == [
        "Step 40/40 : RUN pip install",
        "Successfully built the image",
    ]


def test_R3_a_cancelled_build_is_gone_and_only_then_cancelled(
    datarobot: DataRobot, simulator: DataRobotSimulator, clock: FakeClock
) -> None:
    """Right after a start, "not started" may be the service's delay."""
    handle = datarobot.start(an_order("build_dependencies"))
    datarobot.cancel(handle)
    datarobot.cancel(handle)
    clock.advance(59)
    with pytest.raises(ProviderJobMissing):
        datarobot.poll(handle)
    clock.advance(1)
    seen = datarobot.poll(handle)
    assert (seen.vendor_status, seen.state) == (tables.NOT_STARTED, State.CANCELLED)
    assert datarobot.logs(handle, 5) == []


def test_R3_an_ended_build_cannot_be_cancelled(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order("build_dependencies"))
    simulator.clock.advance(60)
    datarobot.cancel(handle)
    assert datarobot.poll(handle).state is State.SUCCEEDED
    with pytest.raises(ProviderRejected, match="422"):
        datarobot.start(an_order("build_dependencies"))


@pytest.mark.parametrize(
    ("body", "lines"),
    [(b"plain\ntext", ["plain", "text"]), (b'{"data": "cGxhaW4="}', ["plain"])],
)
def test_R3_a_log_in_another_form_is_read_too(body: bytes, lines: list[str]) -> None:
    provider = answering(httpx.Response(200, content=body))
    assert provider.logs({"kind": "build_dependencies", "model": "m", "version": "v"}, 9) == lines


def test_R3_a_log_that_unpacks_to_too_much_is_refused() -> None:
    bomb = gzip.compress(b"0" * 30_000_000)
    provider = answering(httpx.Response(200, content=bomb))
    with pytest.raises(ProviderReplyInvalid, match="larger than"):
        provider.logs({"kind": "build_dependencies", "model": "m", "version": "v"}, 9)


# ---------------------------------------------------------------- R4: conversions


def test_R4_a_conversion_is_stopped(datarobot: DataRobot, simulator: DataRobotSimulator) -> None:
    handle = datarobot.start(an_order("convert"))
    assert datarobot.poll(handle).vendor_status == "pending"
    datarobot.cancel(handle)
    assert datarobot.poll(handle).state is State.CANCELLED
    datarobot.cancel(handle)
    with pytest.raises(ProviderRejected) as raised:
        datarobot.client.conversions.stop(MODEL, VERSION, handle["id"])
    assert raised.value.http_status == 422


def test_R4_conversions_are_listed_and_the_latest_told(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    ids = [datarobot.start(an_order("convert"))["id"] for _ in range(3)]
    conversions = datarobot.client.conversions
    assert [c.id for c in conversions.list(MODEL, VERSION).items] == ids[::-1]
    latest = conversions.list(MODEL, VERSION, latest_only=True).items
    assert [c.id for c in latest] == ids[-1:]


def test_R4_what_it_made_is_an_artifact(
    datarobot: DataRobot, simulator: DataRobotSimulator
) -> None:
    handle = datarobot.start(an_order("convert"))
    simulator.clock.advance(60)
    assert datarobot.poll(handle).performance.artifacts == {"output_1": "WORK.SCORED"}
    assert datarobot.logs(handle, 1) == ["NOTE: converted"]


@pytest.mark.parametrize(
    ("in_progress", "succeeded", "should_stop", "word"),
    [
        (None, None, False, "pending"),
        (True, None, False, "in progress"),
        (True, None, True, "stopping"),
        (False, True, False, "succeeded"),
        (False, True, True, "succeeded"),
        (False, False, False, "failed"),
        (False, False, True, "stopped"),
        (False, None, True, "stopped"),
        (False, None, False, "ended without a verdict"),
    ],
)
def test_R4_three_flags_are_one_word(
    in_progress: bool | None, succeeded: bool | None, should_stop: bool, word: str
) -> None:
    assert tables.conversion_word(in_progress, succeeded, should_stop) == word
    assert (word in tables.CONVERSION_STATUSES) is (word != "ended without a verdict")
