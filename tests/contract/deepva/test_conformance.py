"""DeepVA keeps what every provider promises."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.deepva.service import WORDS, a_provider, an_order
from trainbell.conformance import HttpConformance, HttpSubject
from trainbell.ports import Provider
from trainbell.providers.deepva import PROVIDER
from trainbell.providers.deepva.provider import DeepVA
from trainbell.simulators.deepva import DeepVASimulator
from trainbell.simulators.deepva.service import API_KEY


class TestConformance(HttpConformance):
    spec = PROVIDER

    @pytest.fixture
    def subject(
        self, simulator: DeepVASimulator, base_url: str, deepva: DeepVA, made: list[Provider]
    ) -> HttpSubject:
        def another(url: str = base_url, **wanted: Any) -> DeepVA:
            made.append(provider := a_provider(url, **wanted))
            return provider

        def crowd() -> None:
            for number in range(230):
                simulator.clock.advance(1)
                deepva.start(an_order(f"01crowd{number:019}"))

        return HttpSubject(
            spec=PROVIDER,
            provider=deepva,
            order=an_order,
            bad_order=lambda job_id: an_order(job_id, source_dataset_id="no-such-dataset"),
            starts=lambda job_id: simulator.starts[f"trainbell:{job_id}"],
            finish=lambda handle: simulator.account.end_now(handle["id"]),
            unknown_handle={"id": "a09d87ed-1c12-4ea5-827e-906634626797"},
            status_map=WORDS,
            documented_statuses=frozenset(WORDS),
            package="trainbell.providers.deepva",
            fault=simulator.faults.add,
            secret=API_KEY,
            with_secret=lambda secret: another(secret=secret),
            through=lambda transport: another(transport=transport),
            unreachable=another("http://127.0.0.1:1/api/v1"),
            say=lambda handle, status: simulator.account.say(handle["id"], status),
            get_on=lambda: simulator.clock.advance(1),
            crowd=crowd,
        )
