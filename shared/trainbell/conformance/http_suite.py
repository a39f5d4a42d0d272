"""What a provider must keep that calls its service over HTTP, whatever the network does."""

from __future__ import annotations

import time
import traceback
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from trainbell.conformance.provider_suite import JOB, ProviderConformance, Subject
from trainbell.domain.job import State
from trainbell.errors import (
    ProviderAuthFailed,
    ProviderError,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
    StartOutcomeUnknown,
)
from trainbell.ports import Handle, Provider
from trainbell.simulators.faults import Fault, FaultKind

BROKEN_ANSWERS = (
    FaultKind.HALF_BODY,
    FaultKind.HALF_JSON,
    FaultKind.HTML,
    FaultKind.TOO_LARGE,
    FaultKind.TOO_DEEP,
    FaultKind.NOT_UTF8,
)
LOST_ANSWERS = (FaultKind.LOST_ANSWER, FaultKind.DROPPED_AFTER, *BROKEN_ANSWERS)
RETRY_AFTER_SECONDS = 17
QUICK_SECONDS = 5.0
MEMORY_BYTES = 100_000_000


@dataclass(frozen=True, kw_only=True)
class HttpSubject(Subject):
    """`fault` asks the server for a fault. `secret` is the one that the server takes;
    `with_secret` makes a provider that uses another. `through` makes one with this transport.
    `unreachable` is one whose server is not there. `say(handle, status)` makes the service use
    this word for the job's status; `unknown_status` is one that it does not document.
    `start_method`: of the request that starts a job; `start_has_body`: whether its answer has."""

    fault: Callable[[Fault], None]
    secret: str
    with_secret: Callable[[str], Provider]
    through: Callable[[httpx.BaseTransport], Provider]
    unreachable: Provider
    say: Callable[[Handle, str], None]
    start_method: str = "POST"
    start_has_body: bool = True
    unknown_status: str = "rebalancing"


class LateAnswers(httpx.BaseTransport):
    """Sends each request for real, and then lets the caller time out without the answer."""

    def __init__(self) -> None:
        self._network = httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._network.handle_request(request).close()
        raise httpx.ReadTimeout("timed out", request=request)

    def close(self) -> None:
        self._network.close()


class HttpConformance(ProviderConformance):
    """Derive from it and define the fixture `subject`, giving a fresh `HttpSubject` each time."""

    # ---------------------------------------- started once

    @pytest.mark.parametrize("kind", LOST_ANSWERS)
    def test_a_start_whose_answer_is_lost_is_found_and_adopted(
        self, subject: HttpSubject, kind: FaultKind
    ) -> None:
        if kind is FaultKind.HALF_BODY and not subject.start_has_body:
            pytest.skip("nothing is lost with half of an answer without a body")
        order = subject.order(JOB)
        subject.fault(Fault(kind=kind, method=subject.start_method))
        with pytest.raises(StartOutcomeUnknown):
            subject.provider.start(order)
        assert subject.starts(JOB) == 1
        handle = subject.found(order)
        assert isinstance(handle, Mapping)
        assert subject.provider.poll(handle).state is not None
        assert subject.starts(JOB) == 1

    def test_a_start_that_timed_out_is_found_and_adopted(self, subject: HttpSubject) -> None:
        transport = LateAnswers()
        late = subject.through(transport)
        with pytest.raises(StartOutcomeUnknown):
            late.start(subject.order(JOB))
        transport.close()
        assert subject.starts(JOB) == 1
        assert subject.found(subject.order(JOB)) is not None

    @pytest.mark.parametrize("kind", [FaultKind.DROPPED_BEFORE, FaultKind.ERROR])
    def test_a_start_that_was_not_taken_is_unclear_and_not_found(
        self, subject: HttpSubject, kind: FaultKind
    ) -> None:
        subject.fault(Fault(kind=kind, method=subject.start_method))
        with pytest.raises(StartOutcomeUnknown):
            subject.provider.start(subject.order(JOB))
        assert subject.provider.find(subject.order(JOB)) is None
        assert subject.starts(JOB) == 0

    def test_a_start_that_was_surely_not_sent_may_be_repeated(self, subject: HttpSubject) -> None:
        with pytest.raises(ProviderUnavailable):
            subject.unreachable.start(subject.order(JOB))

    @pytest.mark.parametrize("kind", [FaultKind.DROPPED_BEFORE, FaultKind.ERROR, FaultKind.HTML])
    def test_a_look_up_that_failed_is_never_not_found(
        self, subject: HttpSubject, kind: FaultKind
    ) -> None:
        subject.provider.start(subject.order(JOB))
        subject.fault(Fault(kind=kind))
        with pytest.raises((ProviderUnavailable, ProviderReplyInvalid)):
            subject.provider.find(subject.order(JOB))

    # ---------------------------------------- watched to the end

    def test_an_unknown_status_is_kept_and_is_no_end(self, subject: HttpSubject) -> None:
        handle = subject.provider.start(subject.order(JOB))
        subject.say(handle, subject.unknown_status)
        seen = subject.provider.poll(handle)
        assert (seen.vendor_status, seen.state) == (subject.unknown_status, None)

    def test_every_documented_status_reads_as_the_map_says(self, subject: HttpSubject) -> None:
        handle = subject.provider.start(subject.order(JOB))
        for status in sorted(subject.documented_statuses):
            subject.say(handle, status)
            assert subject.provider.poll(handle).state is subject.status_map[status]

    def test_throttling_carries_the_services_wish(self, subject: HttpSubject) -> None:
        handle = subject.provider.start(subject.order(JOB))
        wish = str(RETRY_AFTER_SECONDS)
        subject.fault(Fault(kind=FaultKind.THROTTLED, retry_after=wish, times=2))
        for call in (
            lambda: subject.provider.poll(handle),
            lambda: subject.provider.start(subject.order("01conformance0000000000003")),
        ):
            with pytest.raises(ProviderThrottled) as raised:
                call()
            assert raised.value.retry_after_seconds == RETRY_AFTER_SECONDS

    @pytest.mark.parametrize("kind", [FaultKind.DROPPED_BEFORE, FaultKind.ERROR])
    def test_a_service_that_is_down_is_unavailable(
        self, subject: HttpSubject, kind: FaultKind
    ) -> None:
        handle = subject.provider.start(subject.order(JOB))
        subject.fault(Fault(kind=kind))
        with pytest.raises(ProviderUnavailable):
            subject.provider.poll(handle)
        assert subject.provider.poll(handle).state is not None

    @pytest.mark.parametrize("kind", BROKEN_ANSWERS)
    def test_an_unreadable_answer_is_typed_and_bounded(
        self, subject: HttpSubject, kind: FaultKind
    ) -> None:
        handle = subject.provider.start(subject.order(JOB))
        subject.fault(Fault(kind=kind))
        tracemalloc.start()
        try:
            with pytest.raises(ProviderReplyInvalid) as raised:
                subject.provider.poll(handle)
            assert tracemalloc.get_traced_memory()[1] < MEMORY_BYTES
        finally:
            tracemalloc.stop()
        assert len(str(raised.value)) < 1000  # noqa: PLR2004
        assert subject.provider.poll(handle).state is not None

    @pytest.mark.parametrize("kind", [FaultKind.DROPPED_BEFORE, FaultKind.ERROR])
    def test_a_cancel_that_did_not_arrive_is_unavailable_and_may_be_repeated(
        self, subject: HttpSubject, kind: FaultKind
    ) -> None:
        order = subject.order(JOB)
        handle = subject.provider.start(order)
        if not subject.spec.cancels(order.kind):
            pytest.skip("the service has no call to cancel this kind of job")
        subject.fault(Fault(kind=kind))
        with pytest.raises(ProviderUnavailable):
            subject.provider.cancel(handle)
        assert subject.provider.poll(handle).state in (State.QUEUED, State.RUNNING)
        subject.provider.cancel(handle)
        *_, end = subject.looks(handle)
        assert end.state is State.CANCELLED

    def test_failures_are_raised_at_once(self, subject: HttpSubject) -> None:
        handle = subject.provider.start(subject.order(JOB))
        subject.fault(Fault(kind=FaultKind.THROTTLED, retry_after="3600"))
        subject.fault(Fault(kind=FaultKind.ERROR, retry_after="3600"))
        began = time.monotonic()
        for _ in range(2):
            with pytest.raises((ProviderThrottled, ProviderUnavailable)):
                subject.provider.poll(handle)
        assert time.monotonic() - began < QUICK_SECONDS

    # ---------------------------------------- secrets

    def test_a_wrong_secret_is_an_auth_failure_everywhere(self, subject: HttpSubject) -> None:
        handle = subject.provider.start(subject.order(JOB))
        stranger = subject.with_secret("a-wrong-secret-0123456789")
        calls: list[Callable[[], Any]] = [
            lambda: stranger.poll(handle),
            lambda: stranger.start(subject.order("01conformance0000000000004")),
            lambda: stranger.find(subject.order(JOB)),
            stranger.check,
        ]
        for call in calls:
            with pytest.raises(ProviderAuthFailed) as raised:
                call()
            assert "a-wrong-secret" not in _everything(raised.value)

    @pytest.mark.parametrize("status", [400, 401, 429, 500])
    def test_no_error_shows_the_secret_that_a_service_repeats(
        self, subject: HttpSubject, status: int
    ) -> None:
        handle = subject.provider.start(subject.order(JOB))
        subject.fault(Fault(kind=FaultKind.ECHO, status=status))
        with pytest.raises(ProviderError) as raised:
            subject.provider.poll(handle)
        assert subject.secret not in _everything(raised.value)


def _everything(error: ProviderError) -> str:
    """All that a log could ever show of this error, its causes included."""
    return "".join(traceback.format_exception(error)) + repr(vars(error))
