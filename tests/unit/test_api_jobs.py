"""The calls on jobs, over the ASGI app and a real store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api_clients import CloudClient, EmbeddedClient, a_service_on_disk
from tests.builders import FakeClock, a_running_job
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import EndReason, Performance, State
from trainbell.ports import Change, JobQuery
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.telling.publish_changes import publish_changes

REQUEST = {"provider": "toy", "parameters": {"epochs": 3}}
RUN = {"idempotency-key": "run-1"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def services(tmp_path: Path, clock: FakeClock) -> Iterator[Services]:
    made = a_service_on_disk(tmp_path, clock, has_logs=True)
    yield made
    made.store.close()


@pytest.fixture
def api(services: Services) -> EmbeddedClient:
    return EmbeddedClient(services)


def started(api: EmbeddedClient) -> str:
    return str(api.call("POST", "/v1/jobs", REQUEST).json()["id"])


def ended(api: EmbeddedClient, services: Services, clock: FakeClock) -> str:
    job_id = started(api)
    advance_job(services, job_id)
    services.providers.client(None).service.set_all("completed")  # type: ignore[arg-type, attr-defined]
    clock.advance(60)
    advance_job(services, job_id)
    return job_id


def stored_jobs(services: Services) -> int:
    return len(services.store.list(JobQuery(project="default")).items)


def test_a_job_is_started_and_shown(api: EmbeddedClient, services: Services) -> None:
    answer = api.call("POST", "/v1/jobs", REQUEST)
    assert answer.status == 201
    job = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert job["state"] == "requested"
    assert job["created_at"] == "2026-03-02T12:00:00Z"
    assert job["requested_by"] == "owner"
    assert job["dataset"] is None
    assert api.call("GET", f"/v1/jobs/{job['id']}").json() == job


def test_an_idempotency_key_is_one_job(api: EmbeddedClient, services: Services) -> None:
    first = api.call("POST", "/v1/jobs", REQUEST, headers=RUN)
    again = api.call("POST", "/v1/jobs", REQUEST, headers=RUN)
    other = api.call("POST", "/v1/jobs", {"provider": "toy"}, headers=RUN)
    assert (first.status, again.status, other.status) == (201, 200, 409)
    assert first.json()["id"] == again.json()["id"]
    assert other.json()["type"] == "urn:trainbell:idempotency-conflict"
    assert stored_jobs(services) == 1


def test_every_problem_of_a_request_comes_at_once_and_nothing_is_stored(
    api: EmbeddedClient, services: Services
) -> None:
    body = {
        "provider": "toy",
        "connection": "none",
        "parameters": {"epochs": 0, "extra": 1},
        "name": "n" * 256,
        "tags": {"k": 7},
        "surprise": True,
        "deadline_at": "2020-01-01T00:00:00Z",
    }
    answer = api.call("POST", "/v1/jobs", body, headers={"idempotency-key": "no spaces!"})
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.paths()) >= {
        "Idempotency-Key",
        "connection",
        "name",
        "parameters.epochs",
        "parameters.extra",
        "surprise",
        "tags.k",
    }
    assert stored_jobs(services) == 0
    assert services.watchers.jobs == []  # type: ignore[attr-defined]


def test_an_unknown_provider_names_those_that_exist(api: EmbeddedClient) -> None:
    answer = api.call("POST", "/v1/jobs", {"provider": "toys"})
    assert answer.status == 422
    assert "toy" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "a JSON object is required"),
        (b"{", "no valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"provider": NaN}', "NaN"),
        (b'{"parameters": {"x": 1e999}}', "too large"),
        (b'{"a": 1, "a": 2}', "same key twice"),
        (b'{"name": "\\ud800"}', "surrogate"),
        (b'{"name": "\\u0000"}', "U+0000"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "64 levels"),
        (b'{"a":' + b"[" * 100_000, "64 levels"),
        (b'{"name": "\xff"}', "UTF-8"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    api: EmbeddedClient, body: bytes, message: str
) -> None:
    answer = api.call("POST", "/v1/jobs", body, headers={"content-type": "application/json"})
    assert answer.status == 400
    assert answer.paths() == ["body"]
    assert message in answer.json()["detail"]


def test_a_body_of_the_greatest_depth_is_read(api: EmbeddedClient) -> None:
    body = b'{"parameters":' * 63 + b"1" + b"}" * 63
    answer = api.call("POST", "/v1/jobs", body, headers={"content-type": "application/json"})
    assert answer.status == 422


def test_a_call_with_files_over_the_bound_is_told_another_way(services: Services) -> None:
    large = b'{"files": "' + b"x" * 1024 * 1024 + b'"}'
    for api in (EmbeddedClient(services), CloudClient(services)):
        answer = api.call("POST", "/v1/connections/dr/calls/create_version", large)
        assert answer.status == 413
        assert "larger files go by the command of their service" in answer.text
        assert "command of their service" not in api.call("POST", "/v1/jobs", large).text


def test_a_body_over_its_bound_is_refused(api: EmbeddedClient) -> None:
    large = b'{"name": "' + b"x" * 1024 * 1024 + b'"}'
    answer = api.call("POST", "/v1/jobs", large)
    assert answer.status == 413
    assert answer.headers["connection"] == "close"
    assert "x" * 100 not in answer.text


def test_a_body_that_is_not_declared_as_json_is_refused(api: EmbeddedClient) -> None:
    answer = api.call("POST", "/v1/jobs", REQUEST, headers={"content-type": "text/plain"})
    assert answer.status == 415


def test_lists_filter_and_page(api: EmbeddedClient, clock: FakeClock) -> None:
    for number in range(5):
        clock.advance(1)
        body = {"provider": "toy", "model": f"m{number % 2}", "tags": {"n": str(number)}}
        assert api.call("POST", "/v1/jobs", body).status == 201
    first = api.call("GET", "/v1/jobs", query={"limit": 3}).json()
    rest = api.call("GET", "/v1/jobs", query={"limit": 3, "cursor": first["next_cursor"]}).json()
    numbers = [job["tags"]["n"] for job in first["items"] + rest["items"]]
    assert numbers == ["4", "3", "2", "1", "0"]
    assert rest["next_cursor"] is None

    def found(**query: object) -> list[str]:
        page = api.call("GET", "/v1/jobs", query=query).json()
        return [job["tags"]["n"] for job in page["items"]]

    assert found(model="m1") == ["3", "1"]
    assert found(tag="n=2") == ["2"]
    assert found(tag="x") == []
    assert found(state="requested,running", limit=1) == ["4"]
    assert found(state=["failed", "lost"]) == []
    assert found(created_after="2026-03-02T12:00:03Z", created_before="2026-03-02T12:00:05Z")
    assert found(project="other") == []


def test_every_problem_of_a_query_comes_at_once(api: EmbeddedClient) -> None:
    query = {
        "limit": 101,
        "state": "running,none",
        "created_after": "9999-12-31T23:59:59-12:00",
        "project": ["a", "b"],
        "surprise": "1",
    }
    answer = api.call("GET", "/v1/jobs", query=query)
    assert answer.status == 400
    assert {path.split(".")[0] for path in answer.paths()} == set(query)


def test_a_cursor_of_another_list_is_a_bad_query(api: EmbeddedClient) -> None:
    answer = api.call("GET", "/v1/jobs", query={"cursor": "nonsense"})
    assert (answer.status, answer.paths()) == (400, ["cursor"])


@pytest.mark.parametrize("job_id", ["0" * 26, "short", "0" * 25 + "%", "x" * 5000])
@pytest.mark.parametrize("below", ["", "/events", "/logs", "/performance", "/deliveries"])
def test_no_such_job(api: EmbeddedClient, job_id: str, below: str) -> None:
    assert api.call("GET", f"/v1/jobs/{job_id}{below}").status == 404


def test_a_cancel_is_taken_and_an_ended_job_refuses_it(
    api: EmbeddedClient, services: Services, clock: FakeClock
) -> None:
    running = started(api)
    advance_job(services, running)
    answer = api.call("POST", f"/v1/jobs/{running}/cancel")
    assert answer.status == 202
    assert (answer.json()["state"], answer.json()["may_still_cost"]) == ("cancelling", True)
    unsent = started(api)
    assert api.call("POST", f"/v1/jobs/{unsent}/cancel").json()["state"] == "cancelled"
    again = api.call("POST", f"/v1/jobs/{unsent}/cancel")
    assert (again.status, again.json()["type"]) == (409, "urn:trainbell:job-ended")


def test_an_ended_job_is_retried_and_forgotten(
    api: EmbeddedClient, services: Services, clock: FakeClock
) -> None:
    unended = started(api)
    assert api.call("POST", f"/v1/jobs/{unended}/retry").status == 409
    assert api.call("DELETE", f"/v1/jobs/{unended}").status == 409
    job_id = ended(api, services, clock)
    retry = api.call("POST", f"/v1/jobs/{job_id}/retry", headers=RUN)
    assert retry.status == 201
    assert retry.json()["retry_of"] == job_id
    assert retry.json()["parameters"] == {"epochs": 3}
    assert api.call("POST", f"/v1/jobs/{job_id}/retry", headers=RUN).status == 200
    assert api.call("DELETE", f"/v1/jobs/{job_id}").status == 409  # Its end is not told yet.
    while publish_changes(services).more_due:
        pass
    forgotten = api.call("DELETE", f"/v1/jobs/{job_id}")
    assert (forgotten.status, forgotten.text) == (204, "")
    assert api.call("GET", f"/v1/jobs/{job_id}").status == 404


def test_events_logs_performance_and_deliveries(
    api: EmbeddedClient, services: Services, clock: FakeClock
) -> None:
    job_id = ended(api, services, clock)
    page = api.call("GET", f"/v1/jobs/{job_id}/events", query={"limit": 2}).json()
    assert [event["sequence"] for event in page["items"]] == [1, 2]
    query = {"cursor": page["next_cursor"]}
    rest = api.call("GET", f"/v1/jobs/{job_id}/events", query=query).json()["items"]
    assert rest[-1]["type"] == "JobFinished"
    logs = api.call("GET", f"/v1/jobs/{job_id}/logs", query={"lines": 1})
    assert logs.json() == {"lines": ["log of t1"]}
    assert api.call("GET", f"/v1/jobs/{job_id}/logs", query={"lines": 1001}).status == 400
    performance = api.call("GET", f"/v1/jobs/{job_id}/performance").json()
    assert performance["performance"]["metrics"] == {}
    assert api.call("GET", f"/v1/jobs/{job_id}/deliveries").json()["items"] == []


def test_the_view_shows_end_error_and_forecast(
    api: EmbeddedClient, services: Services, clock: FakeClock
) -> None:
    noon = clock.now()
    trail = ((clock.advance(10), 0.1), (clock.advance(10), 0.2), (clock.advance(10), 0.3))
    job = a_running_job(
        provider="toy",
        connection="toy",
        progress=0.3,
        progress_trail=trail,
        performance=Performance(metrics={"accuracy": 0.9}),
        last_error=Failure(
            kind=FailureKind.UNAVAILABLE,
            type="ProviderUnavailable",
            message="refused",
            at=noon,
            details={"body": "<html>"},
        ),
    )
    services.store.create(Change(job=job))
    shown = api.call("GET", f"/v1/jobs/{job.id}").json()
    assert shown["eta_at"] == "2026-03-02T12:01:40Z"
    assert shown["duration_seconds"] == 30
    assert shown["performance"]["metrics"] == {"accuracy": 0.9}
    assert shown["last_error"]["message"] == "refused"
    assert shown["error_details"] == {"body": "<html>"}
    assert shown["next_poll_at"] == "2026-03-02T12:00:00Z"
    listed = api.call("GET", "/v1/jobs").json()["items"][0]
    assert "parameters" not in listed
    assert listed["performance"] == {"metrics": {"accuracy": 0.9}}


def test_an_ended_job_has_no_forecast(api: EmbeddedClient, services: Services) -> None:
    job = a_running_job(
        state=State.FAILED, end_reason=EndReason.EXIT_CODE, exit_code=1, next_poll_at=None
    )
    services.store.create(Change(job=job))
    shown = api.call("GET", f"/v1/jobs/{job.id}").json()
    assert (shown["has_ended"], shown["end_reason"], shown["exit_code"]) == (True, "exit_code", 1)
    assert shown["eta_at"] is None
