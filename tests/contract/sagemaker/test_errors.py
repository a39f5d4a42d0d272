"""What SageMaker refuses, and answers that nobody can read."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract.sagemaker.service import HANDLE, an_order, recorded, refusal
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
from trainbell.providers.service_call import MAX_REPLY_BYTES


@pytest.mark.parametrize(
    ("answer", "on_poll", "on_start"),
    [
        (refusal("ThrottlingException", "Rate exceeded"), ProviderThrottled, ProviderThrottled),
        (refusal("RequestLimitExceeded", status=503), ProviderThrottled, ProviderThrottled),
        (refusal("AccessDeniedException"), ProviderAuthFailed, ProviderAuthFailed),
        (refusal("ExpiredTokenException"), ProviderAuthFailed, ProviderAuthFailed),
        (refusal("Surprise", status=403), ProviderAuthFailed, ProviderAuthFailed),
        (refusal("InternalFailure", status=500), ProviderUnavailable, StartOutcomeUnknown),
        (refusal("ServiceUnavailable", status=503), ProviderUnavailable, StartOutcomeUnknown),
        (refusal("RequestTimeout", status=408), ProviderUnavailable, ProviderUnavailable),
        (refusal("ResourceLimitExceeded", "limit"), ProviderRejected, ProviderRejected),
        (refusal("ValidationException", "bad"), ProviderRejected, ProviderRejected),
        (refusal("ResourceNotFound", "no role"), ProviderJobMissing, ProviderRejected),
        (httpx.Response(302, headers={"location": "/"}), ProviderReplyInvalid, StartOutcomeUnknown),
        (httpx.Response(502, content=b"<html>\xff"), ProviderUnavailable, StartOutcomeUnknown),
    ],
)
def test_refusals_of_aws(
    answering: Any,
    answer: httpx.Response,
    on_poll: type[ProviderError],
    on_start: type[ProviderError],
) -> None:
    provider = answering(answer)
    with pytest.raises(on_poll) as raised:
        provider.poll(HANDLE)
    assert type(raised.value) is on_poll
    with pytest.raises(on_start) as raised:
        provider.start(an_order())
    assert type(raised.value) is on_start


def test_an_error_keeps_the_services_own_words(answering: Any) -> None:
    answer = refusal("ThrottlingException", "Rate exceeded")
    answer.headers.update({"x-amzn-RequestId": "r-1", "Retry-After": "7"})
    with pytest.raises(ProviderThrottled, match="Rate exceeded") as raised:
        answering(answer).poll(HANDLE)
    error = raised.value
    assert (error.vendor_code, error.http_status, error.request_id) == (
        "ThrottlingException",
        400,
        "r-1",
    )
    assert error.retry_after_seconds == 7
    assert error.details == {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"[1]", b'"ok"', b"<html>"])
def test_a_created_without_an_arn_is_an_unclear_start(answering: Any, body: bytes) -> None:
    with pytest.raises(StartOutcomeUnknown):
        answering(httpx.Response(200, content=body)).start(an_order())


def test_a_portals_page_is_no_confirmation_of_a_stop(answering: Any) -> None:
    with pytest.raises(ProviderReplyInvalid):
        answering(httpx.Response(200, content=b"<html>sign in</html>")).cancel(HANDLE)


def test_a_readable_answer_that_is_too_large_is_refused(answering: Any) -> None:
    much = recorded("training_job_completed", Surprise="x" * MAX_REPLY_BYTES)
    with pytest.raises(ProviderReplyInvalid, match="larger than"):
        answering(much).poll(HANDLE)


def test_a_compressed_answer_is_refused(answering: Any) -> None:
    packed = httpx.Response(200, content=b"{}", headers={"x-note": "packed"})
    packed.headers["content-encoding"] = "gzip"
    with pytest.raises(ProviderReplyInvalid, match="compressed"):
        answering(packed).poll(HANDLE)
