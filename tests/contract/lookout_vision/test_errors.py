"""Lookout for Vision's errors, each its own (L6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.contract.lookout_vision.service import JOB, OTHER_JOB, an_order, answering, end_now
from trainbell.domain.order import WhenBusy
from trainbell.errors import (
    ProviderAuthFailed,
    ProviderError,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.providers.lookout_vision.provider import LookoutVision
from trainbell.simulators.lookout_vision import LookoutVisionSimulator
from trainbell.simulators.lookout_vision.account import PROJECT


@pytest.mark.parametrize(
    ("code", "status", "on_poll", "on_start"),
    [
        ("AccessDeniedException", 403, ProviderAuthFailed, ProviderAuthFailed),
        ("ConflictException", 409, ProviderRejected, ProviderRejected),
        ("InternalServerException", 500, ProviderUnavailable, StartOutcomeUnknown),
        ("ResourceNotFoundException", 404, ProviderJobMissing, ProviderRejected),
        ("ServiceQuotaExceededException", 402, ProviderRejected, ProviderRejected),
        ("ThrottlingException", 429, ProviderThrottled, ProviderThrottled),
        ("ValidationException", 400, ProviderRejected, ProviderRejected),
    ],
)
def test_L6_each_documented_error_is_its_own(
    lookout: LookoutVision,
    simulator: LookoutVisionSimulator,
    *,
    code: str,
    status: int,
    on_poll: type[ProviderError],
    on_start: type[ProviderError],
) -> None:
    handle = lookout.start(an_order())
    calls: list[tuple[Callable[[], object], type[ProviderError]]] = [
        (lambda: lookout.poll(handle), on_poll),
        (lambda: lookout.start(an_order(OTHER_JOB)), on_start),
    ]
    for call, wanted in calls:
        simulator.apply_settings({"errors": [{"error": code, "retry_after": "17"}]})
        with pytest.raises(ProviderError) as raised:
            call()
        error = raised.value
        assert type(error) is wanted
        assert (error.http_status, error.vendor_code) == (status, code)
        assert error.retry_after_seconds == 17
        assert error.request_id
        assert isinstance(error.details, dict)
        assert error.details["Message"] == "This error was asked for."
        assert "This error was asked for." in str(error)
    assert simulator.starts == {JOB: 1}


def test_L6_a_quota_that_is_used_up_refuses_or_is_waited_for_as_the_caller_asks(
    lookout: LookoutVision, simulator: LookoutVisionSimulator
) -> None:
    simulator.apply_settings({"max_trainings": 1})
    first = lookout.start(an_order())
    waiting = replace(an_order(OTHER_JOB), when_busy=WhenBusy.WAIT)
    for order, wanted in ((an_order(OTHER_JOB), ProviderRejected), (waiting, ProviderThrottled)):
        with pytest.raises(wanted, match="402") as raised:
            lookout.start(order)
        assert raised.value.vendor_code == "ServiceQuotaExceededException"
        assert raised.value.details == {
            "Message": "At most 1 models can be trained at once.",
            "ResourceId": PROJECT,
            "ResourceType": "PROJECT",
            "QuotaCode": "L-TRAININGS",
            "ServiceCode": "lookoutvision",
        }
    end_now(simulator, first)
    assert lookout.start(waiting)["version"] == "2"


def test_L6_throttling_with_another_status_is_throttling() -> None:
    """AWS's page of common errors lists it with 400."""
    provider = answering(
        {"message": "Rate exceeded"}, 400, **{"x-amzn-ErrorType": "ThrottlingException:http://x/"}
    )
    with pytest.raises(ProviderThrottled, match="Rate exceeded"):
        provider.poll({"project": PROJECT, "version": "1"})


def test_L6_a_404_of_somebody_in_between_is_no_missing_job() -> None:
    provider = answering({"message": "no route"}, 404)
    with pytest.raises(ProviderReplyInvalid, match="404"):
        provider.poll({"project": PROJECT, "version": "1"})
    with pytest.raises(ProviderRejected, match="404"):
        provider.find(an_order())
