"""Azure AI Vision keeps what every provider promises, for both kinds of job."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.contract.azure_vision.service import (
    EVALUATION_WORDS,
    TRAINING_WORDS,
    a_provider,
    a_trained_model,
    an_evaluation,
    an_order,
    finish,
    run_of,
)
from trainbell.conformance import HttpConformance, HttpSubject
from trainbell.ports import Handle, Provider
from trainbell.providers.azure_vision import PROVIDER
from trainbell.providers.azure_vision.provider import AzureVision
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.azure_vision.service import API_KEY


class TestConformance(HttpConformance):
    spec = PROVIDER

    @pytest.fixture
    def subject(
        self,
        job_kind: str,
        simulator: AzureVisionSimulator,
        base_url: str,
        azure: AzureVision,
        made: list[Provider],
    ) -> HttpSubject:
        def another(url: str = base_url, **wanted: Any) -> AzureVision:
            made.append(provider := a_provider(url, **wanted))
            return provider

        def say(handle: Handle, status: str) -> None:
            run = run_of(simulator, handle)
            run.plan = replace(run.plan, state=status)

        of_kind = {"train": of_training, "evaluate": of_evaluation}[job_kind]
        return HttpSubject(
            spec=PROVIDER,
            provider=azure,
            finish=lambda handle: finish(simulator, handle),
            package="trainbell.providers.azure_vision",
            fault=simulator.faults.add,
            secret=API_KEY,
            with_secret=lambda secret: another(secret=secret),
            through=lambda transport: another(transport=transport),
            unreachable=another("http://127.0.0.1:1/computervision"),
            say=say,
            start_method="PUT",
            get_on=lambda: simulator.clock.advance(1),
            **of_kind(simulator),
        )


def of_training(simulator: AzureVisionSimulator) -> dict[str, Any]:
    return {
        "order": an_order,
        # Without a kind the service itself judges the budget, by the dataset.
        "bad_order": lambda job_id: an_order(job_id, model_kind=None, time_budget_in_hours=337),
        "starts": lambda job_id: simulator.starts[f"trainbell-{job_id}"],
        "unknown_handle": {"model": "no-such-model"},
        "status_map": TRAINING_WORDS,
        "documented_statuses": frozenset(TRAINING_WORDS),
    }


def of_evaluation(simulator: AzureVisionSimulator) -> dict[str, Any]:
    a_trained_model(simulator)
    return {
        "order": an_evaluation,
        "bad_order": lambda job_id: an_evaluation(job_id, model_name="no-such-model"),
        "starts": lambda job_id: simulator.starts[f"trained/trainbell-{job_id}"],
        "unknown_handle": {"model": "trained", "evaluation": "no-such-evaluation"},
        "status_map": EVALUATION_WORDS,
        "documented_statuses": frozenset(EVALUATION_WORDS),
    }
