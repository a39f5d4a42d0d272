"""Azure's errors are kept whole (A8)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.builders import NOON, a_running_job
from tests.contract.azure_vision.service import a_provider, an_order, answering, polled, sample
from trainbell.domain.job import EndReason, State
from trainbell.domain.lifecycle import WatchRules, step
from trainbell.domain.polling import Pace
from trainbell.errors import (
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderUnavailable,
)
from trainbell.providers.azure_vision.provider import AzureVision
from trainbell.simulators.azure_vision import AzureVisionSimulator
from trainbell.simulators.azure_vision.runs import Plan
from trainbell.simulators.azure_vision.service import API_KEY


def test_A8_a_refusal_keeps_the_services_own_error_whole(azure: AzureVision) -> None:
    with pytest.raises(ProviderRejected) as raised:
        azure.start(an_order(model_kind=None, time_budget_in_hours=337))
    error = raised.value
    message = "It must be an integer from 1 to 336 for Generic-Classifier."
    assert message in str(error)
    assert (error.http_status, error.vendor_code) == (400, "InvalidRequest")
    assert error.request_id
    assert error.details == {
        "error": {
            "code": "InvalidRequest",
            "message": message,
            "target": "trainingParameters.timeBudgetInHours",
            "details": [
                {
                    "code": "InvalidRequest",
                    "message": message,
                    "target": "trainingParameters.timeBudgetInHours",
                }
            ],
            "innererror": {
                "code": "InvalidParameterValue",
                "message": "A parameter of the request is not valid.",
                "innererror": {"code": "OutOfRange", "message": message},
            },
        }
    }


def test_A8_a_name_that_is_taken_keeps_the_services_error_beside_ours() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            return httpx.Response(409, json=sample("name_taken_409"))
        return httpx.Response(200, json=sample("model_created"))

    order = an_order(model_name="model_name")
    with pytest.raises(ProviderRejected, match="is not of this job") as raised:
        a_provider(transport=httpx.MockTransport(handler)).start(order)
    assert raised.value.details == sample("name_taken_409")


def test_A8_the_header_names_the_code_where_the_body_does_not() -> None:
    headers = {"x-ms-error-code": "InvalidModelName", "x-ms-request-id": "req-1"}
    with pytest.raises(ProviderRejected) as raised:
        answering(400, headers=headers, text="Bad Request").check()
    assert raised.value.vendor_code == "InvalidModelName"
    assert raised.value.request_id == "req-1"


def test_A8_a_failed_trainings_error_is_kept_whole_up_to_the_job() -> None:
    seen = polled(sample("model_failed"))
    whole = sample("model_failed")["error"]
    assert seen.state is State.FAILED
    assert seen.message == (
        "datasetCorrupt: The dataset my_dataset_name cannot be read. (trainingDatasetName)"
    )
    assert (seen.vendor_code, seen.error_details) == ("datasetCorrupt", whole)
    job = a_running_job(provider="azure_vision", handle={"model": "model_name"})
    ended = step(job, seen, NOON, WatchRules(), Pace()).job
    assert ended.end_reason is EndReason.SERVICE_FAILED
    assert ended.watch.last_error is not None
    assert ended.watch.last_error.details == whole
    assert ended.watch.last_error.vendor_code == "datasetCorrupt"


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (None, None, None),
        ({}, None, None),
        ("broken", None, None),
        ({"code": 7, "message": None}, None, None),
        ({"message": "It diverged."}, "It diverged.", None),
        ({"code": "diverged"}, "diverged", "diverged"),
    ],
)
def test_A8_an_error_that_lacks_parts_is_told_as_far_as_it_goes(
    error: Any, message: str | None, code: str | None
) -> None:
    seen = polled({**sample("model_failed"), "error": error})
    assert (seen.state, seen.message, seen.vendor_code) == (State.FAILED, message, code)


def test_A8_an_error_never_repeats_the_key() -> None:
    error = {"code": API_KEY, "message": f"key {API_KEY}", "innererror": {"code": API_KEY}}
    assert API_KEY not in repr(polled({**sample("model_failed"), "error": error}))


@pytest.mark.parametrize(
    "code", ["diverged", "notEnoughBudget", "datasetCorrupt", "datasetNotFound", "unknown"]
)
def test_A8_every_documented_failure_code_comes_through(
    azure: AzureVision, simulator: AzureVisionSimulator, code: str
) -> None:
    simulator.account.plan = Plan(waiting_seconds=0, working_seconds=10, error=code, fails_at=0.5)
    handle = azure.start(an_order())
    simulator.clock.advance(5)
    end = azure.poll(handle)
    assert (end.state, end.vendor_code) == (State.FAILED, code)


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "<h1>Not here</h1>"},
        {"text": ""},
        {"json": {"error": "gone"}},
        {"json": {"error": {"code": "404", "message": "Resource not found"}}},
    ],
)
def test_A8_a_404_that_is_not_the_services_own_never_makes_a_job_look_lost(
    answer: dict[str, Any],
) -> None:
    provider = answering(404, **answer)
    for call in (lambda: provider.poll({"model": "m"}), lambda: provider.find(an_order())):
        with pytest.raises((ProviderReplyInvalid, ProviderUnavailable)):
            call()
