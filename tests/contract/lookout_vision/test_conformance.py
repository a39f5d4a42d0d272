"""Lookout for Vision keeps what every provider promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract.lookout_vision.service import WORDS, an_order, end_now, keys, say
from trainbell.conformance import HttpConformance, HttpSubject
from trainbell.providers.lookout_vision import PROVIDER
from trainbell.providers.lookout_vision.provider import LookoutVision
from trainbell.simulators.lookout_vision import LookoutVisionSimulator
from trainbell.simulators.lookout_vision.account import PROJECT
from trainbell.simulators.lookout_vision.service import SECRET_ACCESS_KEY


class TestConformance(HttpConformance):
    spec = PROVIDER

    @pytest.fixture
    def subject(
        self,
        simulator: LookoutVisionSimulator,
        lookout: LookoutVision,
        another: Callable[..., LookoutVision],
    ) -> HttpSubject:
        def crowd() -> None:
            for number in range(120):
                simulator.clock.advance(1)
                lookout.start(an_order(f"01crowd{number:019}"))

        return HttpSubject(
            spec=PROVIDER,
            provider=lookout,
            order=an_order,
            bad_order=lambda job_id: an_order(job_id, ProjectName="no-such-project"),
            starts=lambda job_id: simulator.starts[job_id],
            finish=lambda handle: end_now(simulator, handle),
            unknown_handle={"project": PROJECT, "version": "7"},
            status_map=WORDS,
            documented_statuses=frozenset(WORDS),
            package="trainbell.providers.lookout_vision",
            fault=simulator.faults.add,
            secret=SECRET_ACCESS_KEY,
            with_secret=lambda secret: another(secret=keys(secret)),
            through=lambda transport: another(transport=transport),
            unreachable=another("http://127.0.0.1:1"),
            say=lambda handle, status: say(simulator, handle, status),
            get_on=lambda: simulator.clock.advance(1),
            crowd=crowd,
        )
