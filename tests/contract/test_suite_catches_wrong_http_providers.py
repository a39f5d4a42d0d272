"""The conformance suite for HTTP fails on Azure's provider made wrong on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import httpx
import pytest

from tests.builders import NOON, FakeClock, OneSecret, a_connection
from trainbell.conformance import HttpConformance, HttpSubject
from trainbell.domain.observation import Observation
from trainbell.errors import (
    ProviderError,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.ports import Handle, ProviderContext, StartOrder
from trainbell.providers.azure_vision import PROVIDER
from trainbell.providers.azure_vision.provider import AzureVision
from trainbell.providers.azure_vision.status_map import STATUS_MAP
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.azure_vision.account import CLASSIFICATION_DATASET
from trainbell.simulators.azure_vision.service import API_KEY
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.faults import FaultKind
from trainbell.simulators.server import running


class SwallowsACancel(AzureVision):
    def cancel(self, handle: Handle) -> None:
        with suppress(ProviderError):
            super().cancel(handle)


class RefusesWhatIsUnclear(AzureVision):
    def start(self, order: StartOrder) -> Handle:
        try:
            return super().start(order)
        except StartOutcomeUnknown as exc:
            raise ProviderRejected("it failed", provider="Azure", operation="start") from exc


class TakesAFaultForNotFound(AzureVision):
    def find(self, order: StartOrder) -> Handle | None:
        try:
            return super().find(order)
        except ProviderError:
            return None


class ForgetsTheServicesWish(AzureVision):
    def poll(self, handle: Handle) -> Observation:
        try:
            return super().poll(handle)
        except ProviderThrottled as exc:
            raise ProviderUnavailable("busy", provider="Azure", operation="poll") from exc


class ShowsItsKey(AzureVision):
    def poll(self, handle: Handle) -> Observation:
        try:
            return super().poll(handle)
        except ProviderError as exc:
            raise ProviderUnavailable(API_KEY, provider="Azure", operation="poll") from exc


Another = Callable[[type[AzureVision]], HttpSubject]


@pytest.fixture
def subject_of() -> Iterator[Another]:
    made: list[AzureVision] = []
    simulator = AzureVisionSimulator(SimulatorClock(speed=0, start=NOON))
    with running(simulator) as url:
        base_url = url + simulator.base_path

        def build(
            wrong: type[AzureVision],
            *,
            at: str = base_url,
            secret: str = API_KEY,
            transport: httpx.BaseTransport | None = None,
        ) -> AzureVision:
            connection = a_connection(
                name="azure", provider="azure_vision", base_url=at, secret="env:KEY"
            )
            made.append(
                provider := wrong.from_context(
                    ProviderContext(
                        connection=connection,
                        secrets=OneSecret(secret),
                        clock=FakeClock(),
                        transport=transport,
                    )
                )
            )
            return provider

        yield partial(_subject, AzureVisionSimulator, simulator, build)
    for provider in made:
        provider.close()


def _subject(
    fresh: Callable[..., AzureVisionSimulator],
    simulator: AzureVisionSimulator,
    build: Callable[..., AzureVision],
    wrong: type[AzureVision],
) -> HttpSubject:
    vars(simulator).update(vars(fresh(SimulatorClock(speed=0, start=NOON))))
    given = {
        "training_dataset_name": CLASSIFICATION_DATASET,
        "model_kind": "Generic-Classifier",
        "time_budget_in_hours": 100,
    }

    def finish(handle: Handle) -> None:
        simulator.account.models[handle["model"]].end(simulator.clock.now())

    return HttpSubject(
        spec=PROVIDER,
        provider=build(wrong),
        order=lambda job_id: StartOrder(job_id=job_id, kind="train", parameters=given),
        starts=lambda job_id: simulator.starts[f"trainbell-{job_id}"],
        finish=finish,
        unknown_handle={"model": "no-such-model"},
        status_map=STATUS_MAP,
        documented_statuses=frozenset(STATUS_MAP),
        package="trainbell.providers.azure_vision",
        fault=simulator.faults.add,
        secret=API_KEY,
        with_secret=lambda secret: build(wrong, secret=secret),
        through=lambda transport: build(wrong, transport=transport),
        unreachable=build(wrong, at="http://127.0.0.1:1/computervision"),
        say=lambda handle, status: None,
        start_method="PUT",
        get_on=lambda: simulator.clock.advance(1),
    )


suite = HttpConformance()
WRONG: list[tuple[type[AzureVision], Callable[[HttpSubject], None]]] = [
    (
        SwallowsACancel,
        partial(
            suite.test_a_cancel_that_did_not_arrive_is_unavailable_and_may_be_repeated,
            kind=FaultKind.ERROR,
        ),
    ),
    (
        RefusesWhatIsUnclear,
        partial(
            suite.test_a_start_whose_answer_is_lost_is_found_and_adopted,
            kind=FaultKind.DROPPED_AFTER,
        ),
    ),
    (
        TakesAFaultForNotFound,
        partial(suite.test_a_look_up_that_failed_is_never_not_found, kind=FaultKind.ERROR),
    ),
    (ForgetsTheServicesWish, suite.test_throttling_carries_the_services_wish),
    (
        ShowsItsKey,
        partial(suite.test_no_error_shows_the_secret_that_a_service_repeats, status=500),
    ),
]


@pytest.mark.parametrize(("wrong", "test"), WRONG, ids=[wrong.__name__ for wrong, _ in WRONG])
def test_a_wrong_provider_fails(
    subject_of: Another, wrong: type[AzureVision], test: Callable[[HttpSubject], None]
) -> None:
    test(subject_of(AzureVision))
    with pytest.raises((AssertionError, pytest.fail.Exception, ProviderError)):
        test(subject_of(wrong))
