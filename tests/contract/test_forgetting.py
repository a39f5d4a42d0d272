"""Retention forgets what is over and told; a forgotten person stands in no record."""

from __future__ import annotations

import pytest

from tests.builders import FakeClock, a_caller
from tests.toy_service import ToyService, a_trainbell
from trainbell.domain.job import State
from trainbell.errors import InputInvalid, NotFound
from trainbell.ports import Store
from trainbell.use_cases.care.export_records import export_records
from trainbell.use_cases.care.forget_person import forget_person
from trainbell.use_cases.care.retain import forget_expired_jobs
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.cancel_job import cancel_job
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.settings.configure_retention import put_retention
from trainbell.use_cases.telling.publish_changes import publish_changes

BODY = {"provider": "toy", "parameters": {"epochs": 3}, "when_busy": "wait"}
DAY = 86_400
ADA = "arn:aws:sts::111122223333:assumed-role/team/ada@example.org"


@pytest.fixture
def service() -> ToyService:
    return ToyService(FakeClock())


@pytest.fixture
def services(store: Store, service: ToyService) -> Services:
    return a_trainbell(store, service)


def ended(services: Services, service: ToyService, **more: object) -> str:
    job, _ = request_job(services, {**BODY, **more}, by=a_caller(ADA))
    advance_job(services, job.id)
    service.set_all("completed")
    service.clock.advance(600)
    assert advance_job(services, job.id).job.state is State.SUCCEEDED
    return job.id


def told(services: Services) -> None:
    while services.store.next_outbox_due_at() is not None:
        publish_changes(services)


def test_what_is_over_is_forgotten_by_project(services: Services, service: ToyService) -> None:
    old = ended(services, service)
    other = ended(services, service, project="vision")
    told(services)
    service.clock.advance(10 * DAY)
    young = ended(services, service)
    told(services)
    active, _ = request_job(services, BODY, by=a_caller())
    put_retention(services, "default", {"days": 7})
    assert forget_expired_jobs(services) == 1
    with pytest.raises(NotFound):
        services.store.get(old)
    assert services.store.events(old, limit=10).items == ()
    for kept in (other, young, active.id):
        services.store.get(kept)
    service.clock.advance(8 * DAY)
    assert forget_expired_jobs(services) == 1
    services.store.get(active.id)
    services.store.get(other)


def test_what_is_untold_is_kept_until_it_is_told(services: Services, service: ToyService) -> None:
    job_id = ended(services, service)
    put_retention(services, "default", {"days": 1})
    service.clock.advance(2 * DAY)
    assert forget_expired_jobs(services) == 0
    told(services)
    assert forget_expired_jobs(services) == 1
    with pytest.raises(NotFound):
        services.store.get(job_id)


def test_a_run_is_bounded_and_the_next_goes_on(services: Services, service: ToyService) -> None:
    for _ in range(5):
        ended(services, service)
    told(services)
    put_retention(services, "default", {"days": 1})
    service.clock.advance(2 * DAY)
    assert [forget_expired_jobs(services, limit=2) for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.parametrize("body", [{}, {"days": 0}, {"days": "7"}, {"days": 7, "x": 1}])
def test_a_wrong_retention_is_refused(services: Services, body: dict[str, object]) -> None:
    with pytest.raises(InputInvalid):
        put_retention(services, "default", body)


def test_a_forgotten_person_stands_in_no_record(services: Services, service: ToyService) -> None:
    by_ada = ended(services, service)
    told(services)
    by_bob, _ = request_job(services, {**BODY, "project": "vision"}, by=a_caller("bob"))
    advance_job(services, by_bob.id)
    cancel_job(services, by_bob.id, by=a_caller(ADA))
    before = [record.model_dump_json() for record in export_records(services).records]
    assert ADA in "".join(before)

    jobs, page = 0, forget_person(services, ADA)
    jobs += page.jobs
    while page.next_project is not None:
        page = forget_person(
            services,
            ADA,
            pseudonym=page.pseudonym,
            project=page.next_project,
            cursor=page.next_cursor,
        )
        jobs += page.jobs
    after = [record.model_dump_json() for record in export_records(services).records]
    assert "ada" not in "".join(after)
    assert jobs == 2
    # Only the name has changed: who did what can still be told apart.
    assert [line.replace(page.pseudonym, ADA) for line in after] == before
    assert services.store.get(by_ada).origin.requested_by == page.pseudonym
    assert services.store.get(by_bob.id).origin.requested_by == "bob"
    assert services.store.get(by_bob.id).cancel.requested_by == page.pseudonym


@pytest.mark.parametrize("subject", ["", "  ", "x" * 3000, "forgotten-00"])
def test_no_such_person_is_refused(services: Services, subject: str) -> None:
    with pytest.raises(InputInvalid):
        forget_person(services, subject)


def test_watching_goes_on_after_a_person_is_forgotten(
    services: Services, service: ToyService
) -> None:
    job, _ = request_job(services, BODY, by=a_caller(ADA))
    advance_job(services, job.id)

    def forget_in_the_middle() -> None:
        forget_person(services, ADA)

    service.on_poll = forget_in_the_middle
    service.set_all("completed")
    service.clock.advance(600)
    done = advance_job(services, job.id).job
    assert (done.state, done.origin.requested_by[:10]) == (State.SUCCEEDED, "forgotten-")
