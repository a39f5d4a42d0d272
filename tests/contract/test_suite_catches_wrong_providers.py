"""The conformance suite fails on providers that are wrong on purpose, and passes the right one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from pydantic import BaseModel, ConfigDict

from tests.builders import FakeClock
from trainbell.conformance import ProviderConformance, Subject
from trainbell.domain.job import State
from trainbell.domain.observation import Observation
from trainbell.errors import NotSupported, ProviderJobMissing, ProviderRejected
from trainbell.ports import (
    Found,
    Handle,
    Kind,
    ProviderSpec,
    ServiceState,
    ServiceStatus,
    StartOrder,
)

PAGE = 3
STATES = {
    "waits": State.QUEUED,
    "runs": State.RUNNING,
    "stops": State.CANCELLING,
    "done": State.SUCCEEDED,
    "stopped": State.CANCELLED,
}
COURSE = ("waits", "runs", "runs", "runs", "done")


@dataclass
class Work:
    id: str
    mark: str
    step: int = 0
    stopping: int | None = None
    says: str | None = None

    def status(self) -> str:
        if self.says is not None:
            return self.says
        if self.stopping is not None:
            return "stops" if self.step < self.stopping + 2 else "stopped"
        return COURSE[min(self.step, len(COURSE) - 1)]


@dataclass
class ListingService:
    """A service with a course of steps, and a list in pages, the newest first."""

    works: list[Work] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def add(self, mark: str) -> Work:
        work = Work(f"w{next(self.numbers)}", mark)
        self.works.append(work)
        return work

    def page(self, offset: int) -> Sequence[Work]:
        return self.works[::-1][offset : offset + PAGE]

    def get_on(self) -> None:
        for work in self.works:
            work.step += 1


class Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    data: str


class RightProvider:
    """Keeps what a provider promises. The wrong ones each break one thing."""

    def __init__(self, service: ListingService) -> None:
        self.service = service
        self.clock = FakeClock()

    def start(self, order: StartOrder) -> Handle:
        if order.parameters["data"] == "none":
            raise ProviderRejected("no such data", provider="listing", operation="start")
        return {"id": self.service.add(order.job_id).id}

    def find(self, order: StartOrder) -> Found | None:
        offset = 0
        while page := self.service.page(offset):
            for work in page:
                if work.mark == order.job_id:
                    return {"id": work.id}
            offset += PAGE
        return None

    def poll(self, handle: Handle) -> Observation:
        work = self._work(handle)
        status = work.status()
        return Observation(
            seen_at=self.clock.now(),
            vendor_status=status,
            state=STATES.get(status),
            progress=work.step / len(COURSE) if status == "runs" else None,
        )

    def cancel(self, handle: Handle) -> None:
        work = self._work(handle)
        if work.status() in ("waits", "runs"):
            work.stopping = work.step

    def logs(self, handle: Handle, lines: int) -> Sequence[str]:
        raise NotSupported("the service has no log")

    def forget(self, handle: Handle) -> None:
        pass

    def check(self) -> str:
        return "it answers"

    def close(self) -> None:
        pass

    def _work(self, handle: Handle) -> Work:
        for work in self.service.works:
            if work.id == handle["id"]:
                return work
        raise ProviderJobMissing("no such job", provider="listing", operation="poll")


class CancelDoesNothing(RightProvider):
    def cancel(self, handle: Handle) -> None:
        pass


class CancelForgetsTheJob(RightProvider):
    def cancel(self, handle: Handle) -> None:
        work = self._work(handle)
        self.service.works.remove(work)


class CancelReadsAsSuccess(RightProvider):
    def poll(self, handle: Handle) -> Observation:
        seen = super().poll(handle)
        return replace(seen, state=State.SUCCEEDED) if seen.state is State.CANCELLED else seen


class CancelTwiceIsRefused(RightProvider):
    def cancel(self, handle: Handle) -> None:
        if self._work(handle).stopping is not None:
            raise ProviderRejected("it is stopping", provider="listing", operation="cancel")
        super().cancel(handle)


class ShowsNoProgress(RightProvider):
    def poll(self, handle: Handle) -> Observation:
        return replace(super().poll(handle), progress=None)


class ShowsProgressOnlyAtTheEnd(RightProvider):
    def poll(self, handle: Handle) -> Observation:
        seen = super().poll(handle)
        return replace(seen, progress=1.0 if seen.state is State.SUCCEEDED else 0.0)


class GoesBack(RightProvider):
    def poll(self, handle: Handle) -> Observation:
        seen = super().poll(handle)
        return replace(seen, progress=None if seen.progress is None else 1 - seen.progress)


class NeverSeesAnEnd(RightProvider):
    def poll(self, handle: Handle) -> Observation:
        seen = super().poll(handle)
        return replace(seen, state=State.RUNNING) if seen.state is State.SUCCEEDED else seen


class LooksAtOnePage(RightProvider):
    def find(self, order: StartOrder) -> Found | None:
        marks = {work.mark: work.id for work in self.service.page(0)}
        return {"id": marks[order.job_id]} if order.job_id in marks else None


class TakesAnyForIts(RightProvider):
    def find(self, order: StartOrder) -> Found | None:
        return {"id": self.service.works[-1].id} if self.service.works else None


def spec_of(*kinds: str, has_progress: bool = True, can_cancel: bool = True) -> ProviderSpec:
    return ProviderSpec(
        name="listing",
        title="Listing service",
        kinds={kind: Kind(name=kind, title=kind, parameters=Parameters) for kind in kinds},
        service=ServiceStatus(state=ServiceState.LIVE, as_of="2026-03", note="none", source="here"),
        build=lambda _context: RightProvider(ListingService()),
        has_progress=has_progress,
        can_cancel=can_cancel,
    )


def a_subject(
    provider: type[RightProvider] = RightProvider, spec: ProviderSpec | None = None
) -> Subject:
    service = ListingService()

    def order(job_id: str, data: str = "d") -> StartOrder:
        return StartOrder(job_id=job_id, kind="train", parameters={"data": data})

    def finish(handle: Handle) -> None:
        next(work for work in service.works if work.id == handle["id"]).says = "done"

    def crowd() -> None:
        for number in range(PAGE * 2):
            service.add(f"other {number}")

    return Subject(
        spec=spec or spec_of("train"),
        provider=provider(service),
        order=order,
        bad_order=lambda job_id: order(job_id, "none"),
        starts=lambda job_id: sum(work.mark == job_id for work in service.works),
        finish=finish,
        unknown_handle={"id": "nobody"},
        status_map=STATES,
        documented_statuses=frozenset({"waits", "runs", "stops", "done", "stopped"}),
        package="trainbell.providers.deepva",
        get_on=service.get_on,
        crowd=crowd,
    )


class TestTheRightOne(ProviderConformance):
    spec = spec_of("train")

    @pytest.fixture
    def subject(self) -> Subject:
        return a_subject()


suite = ProviderConformance()
CANCELS = suite.test_it_cancels_or_declares_that_it_cannot
PROGRESS = suite.test_its_progress_is_seen_or_it_declares_that_it_has_none


@pytest.mark.parametrize(
    ("wrong", "test"),
    [
        (CancelDoesNothing, CANCELS),
        (CancelForgetsTheJob, CANCELS),
        (CancelReadsAsSuccess, CANCELS),
        (CancelTwiceIsRefused, CANCELS),
        (ShowsNoProgress, PROGRESS),
        (ShowsProgressOnlyAtTheEnd, PROGRESS),
        (GoesBack, PROGRESS),
        (NeverSeesAnEnd, suite.test_a_job_is_seen_active_and_then_at_its_end),
        (LooksAtOnePage, suite.test_a_start_is_found_among_many),
        (TakesAnyForIts, suite.test_one_job_is_never_taken_for_another),
    ],
    ids=lambda value: value.__name__,
)
def test_a_wrong_provider_fails(
    wrong: type[RightProvider], test: Callable[[Subject], None]
) -> None:
    test(a_subject())
    with pytest.raises(
        (AssertionError, pytest.fail.Exception, ProviderRejected, ProviderJobMissing)
    ):
        test(a_subject(wrong))


def test_progress_that_is_shown_and_not_declared_fails() -> None:
    subject = a_subject(spec=spec_of("train", has_progress=False))
    with pytest.raises(AssertionError, match="has_progress=False, and progress is shown"):
        PROGRESS(subject)


def test_a_cancel_that_is_declared_lacking_must_be_refused() -> None:
    subject = a_subject(spec=spec_of("train", can_cancel=False))
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        CANCELS(subject)


def test_a_kind_without_a_subject_fails() -> None:
    subject = a_subject(spec=spec_of("train", "evaluate"))
    suite.test_every_kind_has_a_subject("train", subject)
    with pytest.raises(AssertionError, match="evaluate is never tested"):
        suite.test_every_kind_has_a_subject("evaluate", subject)
