"""An end that says more than a job can hold is kept in full, shown, and forgotten with its job."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.api_clients import EmbeddedClient
from tests.builders import NOON, FakeClock, a_caller, seen
from tests.toy_service import ToyProvider, ToyProviders, ToyService, a_trainbell, toy_spec
from trainbell.cli.job_page import job_page
from trainbell.domain.in_full import DOCUMENT_BYTES_AT_MOST, full_document, written
from trainbell.domain.job import Job, Performance, State
from trainbell.domain.observation import Observation
from trainbell.domain.settings import Connection
from trainbell.ports import Handle, Provider
from trainbell.stores.overflow_files import OverflowFiles
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.forget_job import forget_job
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.telling.publish_changes import publish_changes

LONG = "the reason, told at length · " * 1000
TAGS = {f"tag-{number:05d}": {"recall": number / 20_000} for number in range(10_000)}


@dataclass
class Wordy(ToyProvider):
    """Says as much at every look."""

    words: dict[str, Any] = field(
        default_factory=lambda: {"message": LONG, "performance": Performance(per_tag=TAGS)}
    )

    def poll(self, handle: Handle) -> Observation:
        return replace(super().poll(handle), **self.words)


@dataclass
class WordyProviders(ToyProviders):
    wordy: Wordy = field(kw_only=True)

    @contextmanager
    def lease(self, connection: Connection) -> Iterator[Provider]:
        yield self.wordy


@pytest.fixture
def wordy(service: ToyService) -> Wordy:
    return Wordy(service)


@pytest.fixture
def services(store: SqliteStore, service: ToyService, wordy: Wordy, tmp_path: Path) -> Services:
    return a_trainbell(
        store,
        service,
        providers=WordyProviders(service, toy_spec(service), wordy=wordy),
        overflow=OverflowFiles(tmp_path / "in-full"),
    )


def ended(services: Services, service: ToyService, clock: FakeClock) -> Job:
    job_id = request_job(services, {"provider": "toy"}, by=a_caller())[0].id
    for status in ("processing", "completed"):
        advance_job(services, job_id)
        service.set_all(status)
        clock.advance(600)
    job = advance_job(services, job_id).job
    assert job.state is State.SUCCEEDED
    return job


def test_an_end_is_kept_in_full_shown_and_forgotten(
    services: Services, service: ToyService, clock: FakeClock, tmp_path: Path
) -> None:
    job = ended(services, service, clock)
    assert job.seen.cut == job.seen.in_full == ("message", "performance.per_tag")
    assert services.store.get(job.id) == job
    api = EmbeddedClient(services)
    path = f"/v1/jobs/{job.id}"
    assert api.call("GET", path).json()["in_full"] == ["message", "performance.per_tag"]
    kept = api.call("GET", f"{path}/in-full").json()
    assert kept["parts"] == {"message": LONG, "performance.per_tag": TAGS}
    assert kept["cut"] == []
    publish_changes(services)
    forget_job(services, job.id)
    assert list((tmp_path / "in-full").iterdir()) == []
    assert api.call("GET", f"{path}/in-full").status == 404


def test_nothing_is_written_before_the_end_or_where_all_fits(
    services: Services, service: ToyService, clock: FakeClock, wordy: Wordy, tmp_path: Path
) -> None:
    job_id = request_job(services, {"provider": "toy"}, by=a_caller())[0].id
    advance_job(services, job_id)
    service.set_all("processing")
    clock.advance(600)
    running = advance_job(services, job_id).job
    assert (running.seen.cut, running.seen.in_full) == (("message", "performance.per_tag"), ())
    assert not (tmp_path / "in-full").exists()
    wordy.words = {"message": "short"}
    job = ended(services, service, clock)
    assert (job.seen.cut, job.seen.in_full) == ((), ())
    answer = EmbeddedClient(services).call("GET", f"/v1/jobs/{job.id}/in-full")
    assert answer.status == 404
    assert "kept beside it" in answer.json()["detail"]


def test_a_place_that_fails_holds_up_no_end(
    services: Services,
    service: ToyService,
    clock: FakeClock,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "in-full").write_text("a file in its place")
    with caplog.at_level(logging.ERROR):
        job = ended(services, service, clock)
        assert (job.seen.cut, job.seen.in_full) == (("message", "performance.per_tag"), ())
        publish_changes(services)
        forget_job(services, job.id)
    assert f"the end of job {job.id} is not kept in full" in caplog.text
    assert f"the forgotten job {job.id} may still be kept" in caplog.text


def test_a_document_has_a_bound_and_says_what_it_cuts() -> None:
    curve = tuple({"step": float(n), "loss": float("nan")} for n in range(100_000))
    endless: dict[str, Any] = {}
    endless["again"] = endless
    said = seen(
        State.FAILED,
        message='"' * 4_000_000,
        error_details=endless,
        performance=Performance(per_tag=TAGS, curve=curve),
    )
    names = ("error_details", "message", "performance.curve", "performance.per_tag", "stage")
    document = full_document(said, names)
    assert len(written(document)) <= DOCUMENT_BYTES_AT_MOST
    assert document["cut"] == ["error_details", "message", "performance.curve"]
    assert set(document["parts"]) == {"message", "performance.per_tag"}
    assert document["parts"]["performance.per_tag"] == TAGS
    assert document["seen_at"] == NOON.isoformat()


def test_what_is_no_number_is_left_out() -> None:
    said = seen(performance=Performance(curve=({"loss": float("inf"), "step": 1.0},)))
    parts = full_document(said, ["performance.curve"])["parts"]
    assert parts == {"performance.curve": [{"loss": None, "step": 1.0}]}


def test_the_page_says_where_it_is(
    services: Services, service: ToyService, clock: FakeClock
) -> None:
    job = ended(services, service, clock)
    shown = EmbeddedClient(services).call("GET", f"/v1/jobs/{job.id}").json()
    page = job_page(shown)
    texts = [str(cell) for column in page.columns for cell in column.cells]
    assert any(f"trainbell in-full {job.id}" in text for text in texts)
