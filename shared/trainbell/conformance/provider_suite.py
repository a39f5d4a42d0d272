"""What any provider must keep, whatever it talks to."""

from __future__ import annotations

import json
import operator
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from trainbell.conformance.sources import sleeps_in
from trainbell.domain.job import State
from trainbell.domain.observation import OBSERVABLE_STATES, Observation
from trainbell.errors import (
    NotSupported,
    ProviderJobMissing,
    ProviderRejected,
    ProviderUnavailable,
)
from trainbell.ports import Found, Handle, Provider, ProviderSpec, StartOrder

MAX_HANDLE_BYTES = 2048
MAX_LOOKS = 200
JOB = "01conformance0000000000001"
OTHER_JOB = "01conformance0000000000002"
NO_JOB = "01conformance0000000000003"


def _a_moment() -> None:
    time.sleep(0.02)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The provider under test and what the suite must be able to do beside it.

    `provider` talks to a service that is up and empty. `order(job_id)` is an order that the service
    accepts, `bad_order` one that it refuses (None: it cannot tell). `starts(job_id)` counts how
    often the service has started that job. `finish(handle)` brings a job to a successful end
    there. `unknown_handle` is well-formed and of no job. `documented_statuses`: every status that
    the service documents. `package`: where the provider's modules are.

    `get_on()` lets a little of the service's time pass: a few dozen times bring a job from its
    start to its end, or a cancel to its confirmation. Without one, real time is waited for.
    `crowd()` adds jobs of others to what a look-up searches, later than what is there, until that
    has several pages; None: a start is found by its name or token, and nothing is searched.
    `settle()` ends all that runs; needed where the service does not say what its running work is
    about, so that a look-up cannot tell before. `same` tells whether two handles are of one job.
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
    get_on: Callable[[], None] = _a_moment
    crowd: Callable[[], None] | None = None
    settle: Callable[[], None] | None = None
    same: Callable[[Handle, Handle], bool] = operator.eq

    def found(self, order: StartOrder) -> Found | None:
        """What a look-up says, once it can tell."""
        if self.settle is not None and self.starts(order.job_id):
            with pytest.raises(ProviderUnavailable):
                self.provider.find(order)
            self.settle()
        return self.provider.find(order)

    def looks(self, handle: Handle) -> Iterator[Observation]:
        """What polls see of it, from now until its end. That it is missing may be a hiccup."""
        last = ""
        for _ in range(MAX_LOOKS):
            try:
                seen = self.provider.poll(handle)
            except ProviderJobMissing as exc:
                last = str(exc)
            else:
                last = seen.vendor_status
                yield seen
                if seen.state is not None and seen.state.is_end:
                    return
            self.get_on()
        pytest.fail(f"no end was seen in {MAX_LOOKS} looks; the last: {last}")


class ProviderConformance:
    """Derive from it, name the provider's `spec`, and define the fixture `subject`, giving a fresh
    `Subject` each time. It may ask for `job_kind`: the suite then runs for each kind."""

    spec: ClassVar[ProviderSpec]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "job_kind" in metafunc.fixturenames:
            spec = getattr(self, "spec", None)
            if spec is None:
                raise pytest.UsageError(f"{type(self).__name__} names no provider: spec = PROVIDER")
            metafunc.parametrize("job_kind", sorted(spec.kinds))

    @pytest.fixture
    def subject(self) -> Any:
        raise NotImplementedError("the fixture `subject` gives the provider to test")

    # ---------------------------------------- declared

    def test_every_kind_has_a_subject(self, job_kind: str, subject: Subject) -> None:
        given = subject.order(JOB).kind
        assert given == job_kind, f"the subject orders a {given}: {job_kind} is never tested"

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
        assert _is_one(subject, subject.found(order), handle)
        assert subject.starts(JOB) == 1

    def test_one_job_is_never_taken_for_another(self, subject: Subject) -> None:
        first = subject.provider.start(subject.order(JOB))
        other = subject.order(OTHER_JOB)
        if subject.settle is not None:
            with pytest.raises(ProviderUnavailable):
                subject.provider.find(other)
            subject.settle()
        assert subject.provider.find(other) is None
        second = subject.provider.start(other)
        assert not subject.same(first, second)
        assert _is_one(subject, subject.found(other), second)
        assert _is_one(subject, subject.provider.find(subject.order(JOB)), first)

    def test_a_start_is_found_among_many(self, subject: Subject) -> None:
        """Whichever end of its list the service shows first, one of the two is on the last page."""
        if subject.crowd is None:
            pytest.skip("a start is found by its name or token here: nothing is searched")
        first, other = subject.order(JOB), subject.order(OTHER_JOB)
        handle = subject.provider.start(first)
        subject.crowd()
        assert _is_one(subject, subject.found(first), handle)
        second = subject.provider.start(other)
        assert _is_one(subject, subject.found(other), second)
        assert subject.provider.find(subject.order(NO_JOB)) is None

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

    def test_its_progress_is_seen_or_it_declares_that_it_has_none(self, subject: Subject) -> None:
        handle = subject.provider.start(subject.order(JOB))
        looks = list(subject.looks(handle))
        active = [each.progress for each in looks if each.state in (State.QUEUED, State.RUNNING)]
        shown = [progress for progress in active if progress is not None]
        if not subject.spec.has_progress:
            assert shown == [], "the spec says has_progress=False, and progress is shown"
            return
        assert any(0 < progress < 1 for progress in shown), "the spec claims progress: none is seen"
        assert shown == sorted(shown)

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
            *_, end = subject.looks(handle)
            assert end.state is State.CANCELLED, f"cancelled, it ended as {end.vendor_status}"
            subject.provider.cancel(handle)
            return
        with pytest.raises(NotSupported, match=r"\w+ .*cancel"):
            subject.provider.cancel(handle)

    def test_it_has_logs_or_declares_that_it_has_none(self, subject: Subject) -> None:
        order = subject.order(JOB)
        handle = subject.provider.start(order)
        if subject.spec.logs(order.kind):
            assert len(subject.provider.logs(handle, 5)) <= 5  # noqa: PLR2004
            return
        with pytest.raises(NotSupported, match="log"):
            subject.provider.logs(handle, 5)

    def test_a_check_says_what_answered_and_starts_nothing(self, subject: Subject) -> None:
        assert subject.provider.check()
        assert subject.starts(JOB) == 0


def _is_one(subject: Subject, found: Found | None, handle: Handle) -> bool:
    """Whether what was found is this one job, and no other beside it."""
    return isinstance(found, Mapping) and subject.same(found, handle)
