"""What any provider must keep, whatever it talks to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from trainbell.conformance.sources import sleeps_in
from trainbell.domain.job import State
from trainbell.domain.observation import OBSERVABLE_STATES, Observation
from trainbell.errors import NotSupported, ProviderJobMissing, ProviderRejected
from trainbell.ports import Handle, Provider, ProviderSpec, StartOrder

MAX_HANDLE_BYTES = 2048
JOB = "01conformance0000000000001"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The provider under test and what the suite must be able to do beside it.

    `provider` talks to a service that is up and empty. `order(job_id)` is an order that the service
    accepts, `bad_order` one that it refuses (None: it cannot tell). `starts(job_id)` counts how
    often the service has started that job. `finish(handle)` brings a job to a successful end
    there. `unknown_handle` is well-formed and of no job. `documented_statuses`: every status that
    the service documents. `package`: where the provider's modules are.
    """

    spec: ProviderSpec
    provider: Provider
    order: Callable[[str], StartOrder]
    starts: Callable[[str], int]
    finish: Callable[[Handle], None]
    unknown_handle: Handle
    status_map: Mapping[str, State]
    documented_statuses: frozenset[str]
    package: str
    bad_order: Callable[[str], StartOrder] | None = None


class ProviderConformance:
    """Derive from it and define the fixture `subject`, giving a fresh `Subject` each time."""

    @pytest.fixture
    def subject(self) -> Any:
        raise NotImplementedError("the fixture `subject` gives the provider to test")

    # ---------------------------------------- declared

    def test_its_spec_is_complete(self, subject: Subject) -> None:
        spec = subject.spec
        assert spec.title
        assert spec.kinds
        assert all(name == kind.name and kind.title for name, kind in spec.kinds.items())
        assert spec.service.as_of, "the spec's service status has no as_of"
        assert spec.service.note, "the spec's service status has no note"
        assert spec.service.source, "the spec's service status has no source"
        assert spec.settle_seconds >= 0

    def test_parameters_have_a_schema_and_forbid_extras(self, subject: Subject) -> None:
        for kind in subject.spec.kinds.values():
            assert kind.parameters.model_json_schema()["additionalProperties"] is False
        order = subject.order(JOB)
        parameters = subject.spec.kinds[order.kind].parameters
        parameters.model_validate(dict(order.parameters))
        with pytest.raises(ValidationError):
            parameters.model_validate({**order.parameters, "no_such_parameter": 1})

    def test_parameters_survive_being_stored(self, subject: Subject) -> None:
        """A job keeps what its model gives back, and is started with that."""
        order = subject.order(JOB)
        model = subject.spec.kinds[order.kind].parameters
        given = model.model_validate(dict(order.parameters))
        stored = given.model_dump(mode="json", exclude_unset=True)
        assert model.model_validate(json.loads(json.dumps(stored))) == given
        subject.provider.start(replace(order, parameters=stored))
        assert subject.starts(JOB) == 1

    def test_the_status_map_is_exhaustive_and_observable(self, subject: Subject) -> None:
        assert subject.documented_statuses, "the documented statuses are not listed"
        assert set(subject.status_map) == subject.documented_statuses
        assert set(subject.status_map.values()) <= OBSERVABLE_STATES

    def test_clients_never_sleep_or_loop_in_time(self, subject: Subject) -> None:
        assert sleeps_in(subject.package) == []

    # ---------------------------------------- started once, found again

    def test_a_start_is_found_again_with_the_same_handle(self, subject: Subject) -> None:
        order = subject.order(JOB)
        assert subject.provider.find(order) is None
        handle = subject.provider.start(order)
        assert subject.provider.find(order) == handle
        assert subject.starts(JOB) == 1

    def test_one_job_is_never_taken_for_another(self, subject: Subject) -> None:
        first = subject.provider.start(subject.order(JOB))
        other = subject.order("01conformance0000000000002")
        assert subject.provider.find(other) is None
        second = subject.provider.start(other)
        assert first != second
        assert subject.provider.find(other) == second
        assert subject.provider.find(subject.order(JOB)) == first

    def test_a_handle_is_small_json(self, subject: Subject) -> None:
        handle = subject.provider.start(subject.order(JOB))
        text = json.dumps(handle, allow_nan=False)
        assert len(text) <= MAX_HANDLE_BYTES
        assert isinstance(subject.provider.poll(json.loads(text)), Observation)

    def test_a_refused_start_starts_nothing(self, subject: Subject) -> None:
        if subject.bad_order is None:
            pytest.skip("this service takes every well-formed order")
        with pytest.raises(ProviderRejected) as raised:
            subject.provider.start(subject.bad_order(JOB))
        assert str(raised.value)
        assert subject.starts(JOB) == 0

    # ---------------------------------------- watched to the end

    def test_a_job_is_seen_active_and_then_at_its_end(self, subject: Subject) -> None:
        handle = subject.provider.start(subject.order(JOB))
        active = subject.provider.poll(handle)
        assert active.state in (State.QUEUED, State.RUNNING)
        subject.finish(handle)
        end = subject.provider.poll(handle)
        assert end.state is State.SUCCEEDED
        assert end.vendor_status
        assert end.seen_at >= active.seen_at
        for at in (end.seen_at, end.started_at, end.ended_at):
            assert at is None or at.utcoffset() == timedelta(0)

    def test_an_unknown_job_is_missing(self, subject: Subject) -> None:
        with pytest.raises(ProviderJobMissing):
            subject.provider.poll(subject.unknown_handle)

    # ---------------------------------------- abilities, had or declared lacking

    def test_it_cancels_or_declares_that_it_cannot(self, subject: Subject) -> None:
        order = subject.order(JOB)
        handle = subject.provider.start(order)
        if subject.spec.cancels(order.kind):
            subject.provider.cancel(handle)
            subject.provider.cancel(handle)
            return
        with pytest.raises(NotSupported, match=r"\w+ .*cancel"):
            subject.provider.cancel(handle)

    def test_it_has_logs_or_declares_that_it_has_none(self, subject: Subject) -> None:
        handle = subject.provider.start(subject.order(JOB))
        if subject.spec.has_logs:
            assert len(subject.provider.logs(handle, 5)) <= 5  # noqa: PLR2004
            return
        with pytest.raises(NotSupported, match="log"):
            subject.provider.logs(handle, 5)

    def test_a_check_says_what_answered_and_starts_nothing(self, subject: Subject) -> None:
        assert subject.provider.check()
        assert subject.starts(JOB) == 0
